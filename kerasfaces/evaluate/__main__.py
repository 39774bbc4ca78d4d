"""`python -m kerasfaces.evaluate`."""

from kerasfaces.cli import evaluate, run

run(evaluate.main)
