"""The ten pictures: one of each source, from the test split, whatever is answered."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.ten_pictures import judging
from kerasfaces.core.errors import InputError


def rows(splits=("train", "test", "val", "test", "test")):
    sources = [(name, "real") for name in judging.PHOTOS]
    sources += [(name, "fake") for name in judging.GENERATORS]
    lines = [
        (source, label, split, f"{source}-{number}.jpg")
        for number, split in enumerate(splits)
        for source, label in sources
    ]
    return pd.DataFrame(lines, columns=["source", "label", "split", "path"])


def test_one_test_picture_of_each_source_by_the_seed_alone():
    table = rows()
    files = [Path(path) for path in table["path"]]
    drawn = judging.draw(table, files, 0)
    assert [source for source, _, _ in drawn] == [*judging.PHOTOS, *judging.GENERATORS]
    assert [truth for _, truth, _ in drawn] == ["real"] * 5 + ["fake"] * 5
    split = dict(zip(files, table["split"], strict=True))
    assert {split[file] for _, _, file in drawn} == {"test"}
    assert judging.draw(table, files, 0) == drawn
    assert any(judging.draw(table, files, seed) != drawn for seed in range(1, 5))


def test_a_source_without_test_pictures_is_named():
    table = rows(splits=("train", "val"))
    with pytest.raises(
        InputError, match="no real test picture of ffhq; expected faces of"
    ):
        judging.draw(table, [Path(path) for path in table["path"]], 0)


def test_the_table_counts_right_wrong_and_unsure():
    table = pd.DataFrame(
        [
            ("ffhq", "real", "real", 0.1, "6 of 6", "yes"),
            ("progan", "fake", "real", 0.25, "5 of 6", "no"),
            ("stylegan", "fake", "unsure", np.float64(0.5), "3 of 6", "unsure"),
        ],
        columns=list(judging.COLUMNS),
    )
    lines = judging.as_markdown(table).splitlines()
    assert lines[3] == "| progan | fake | real | 0.250 | 5 of 6 | no |"
    assert lines[-1] == "1 right, 1 wrong, 1 unsure of 3."
