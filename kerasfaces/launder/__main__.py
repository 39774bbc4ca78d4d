"""`python -m kerasfaces.launder`."""

from kerasfaces.cli import launder, run

run(launder.main)
