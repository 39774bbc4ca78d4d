"""`python -m kerasfaces.publish`."""

from kerasfaces.cli import publish, run

if __name__ == "__main__":
    run(publish.main)
