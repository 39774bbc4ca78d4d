"""`python -m kerasfaces.crossgen`."""

from kerasfaces.cli import crossgen, run

run(crossgen.main)
