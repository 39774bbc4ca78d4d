"""`python -m kerasfaces.sample`."""

from kerasfaces.cli import run, sample

run(sample.main)
