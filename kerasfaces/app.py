"""`python -m kerasfaces.app`."""

from kerasfaces.cli import app, run

if __name__ == "__main__":
    run(app.main)
