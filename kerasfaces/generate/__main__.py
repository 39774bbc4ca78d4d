"""`python -m kerasfaces.generate`."""

from kerasfaces.cli import generate, run

run(generate.main)
