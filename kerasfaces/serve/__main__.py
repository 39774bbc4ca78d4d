"""`python -m kerasfaces.serve`."""

from kerasfaces.cli import run, serve

if __name__ == "__main__":
    run(serve.main)
