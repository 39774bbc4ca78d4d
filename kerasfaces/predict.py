"""`python -m kerasfaces.predict`."""

from kerasfaces.cli import predict, run

if __name__ == "__main__":
    run(predict.main)
