"""A run of ours, a file of theirs, and what compare.json holds of several."""

import pandas as pd
import pytest
from detector_files import make_run, scored, write_csv

from kerasfaces.compare.comparison import compare


@pytest.fixture
def ours(tmp_path):
    return make_run(tmp_path / "ours")


@pytest.fixture
def theirs(tmp_path):
    frame = pd.concat([scored(split, 1.0, seed=1) for split in ("val", "test")])
    return write_csv(tmp_path / "theirs.csv", frame)


@pytest.fixture
def asked():
    """Compare detectors; returns the content of compare.json."""

    def run(*paths, **options):
        return compare([str(path) for path in paths], resamples=100, **options).content

    return run
