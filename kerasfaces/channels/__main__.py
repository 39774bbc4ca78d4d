"""`python -m kerasfaces.channels`."""

from kerasfaces.cli import channels, run

run(channels.main)
