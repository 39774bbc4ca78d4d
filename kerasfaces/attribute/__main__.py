"""`python -m kerasfaces.attribute`."""

from kerasfaces.cli import attribute, run

run(attribute.main)
