"""`python -m kerasfaces.compare`."""

from kerasfaces.cli import compare, run

run(compare.main)
