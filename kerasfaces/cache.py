"""`python -m kerasfaces.cache`."""

from kerasfaces.cli import cache, run

if __name__ == "__main__":
    run(cache.main)
