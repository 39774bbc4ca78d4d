"""`python -m kerasfaces.annotate`."""

from kerasfaces.cli import annotate, run

run(annotate.main)
