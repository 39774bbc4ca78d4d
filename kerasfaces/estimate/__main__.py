"""`python -m kerasfaces.estimate`."""

from kerasfaces import cli
from kerasfaces.cli.estimate import main

cli.run(main)
