"""`python -m kerasfaces.embed`."""

from kerasfaces.cli import embed, run

run(embed.main)
