"""`python -m kerasfaces.explain`."""

from kerasfaces.cli import explain, run

run(explain.main)
