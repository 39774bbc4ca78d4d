"""`python -m kerasfaces.ensemble`."""

from kerasfaces.cli import ensemble, run

if __name__ == "__main__":
    run(ensemble.main)
