"""`python -m kerasfaces.train`."""

from kerasfaces.cli import run, train

run(train.main)
