"""`python -m kerasfaces.tune`."""

from kerasfaces.cli import run, tune

run(tune.main)
