"""`python -m kerasfaces.manifest`."""

from kerasfaces.cli import manifest, run

run(manifest.main)
