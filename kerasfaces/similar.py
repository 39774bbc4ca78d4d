"""`python -m kerasfaces.similar`."""

from kerasfaces.cli import run, similar

if __name__ == "__main__":
    run(similar.main)
