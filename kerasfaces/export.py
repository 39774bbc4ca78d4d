"""`python -m kerasfaces.export`."""

from kerasfaces.cli import export, run

if __name__ == "__main__":
    run(export.main)
