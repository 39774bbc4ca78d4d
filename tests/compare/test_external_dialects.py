"""Predictions of others in whatever form they are kept: the same rows, or one sentence."""

import csv
import io
import json

from detector_files import make_run, scored, write_csv
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasfaces.compare import comparison as compare
from kerasfaces.compare import external_predictions
from kerasfaces.core.errors import KerasfacesError

PATHS = [
    "a/1.jpg",
    "a/com,ma.jpg",
    "b/semi;colon.jpg",
    "ü.jpg",
    'q"uote.jpg',
    "x y.jpg",
]


@st.composite
def files(draw):
    """Return `(path, label, score)` rows and bytes that hold them in some dialect."""
    paths = draw(st.permutations(PATHS))[: draw(st.integers(2, 6))]
    scores = [draw(st.integers(0, 1000)) / 1000 for _ in paths]
    labels = [("real", "fake")[i % 2] for i in range(len(paths))]
    shown = draw(st.sampled_from([str, str.upper, str.title]))
    comma = draw(st.booleans())
    columns = {
        "path": paths,
        "label": [shown(label) for label in labels],
        "split": ["test"] * len(paths),
        "score": [str(s).replace(".", ",") if comma else str(s) for s in scores],
    }
    if draw(st.booleans()):
        columns["source"] = ["x"] * len(paths)
    if draw(st.booleans()):
        columns = {"": [str(i) for i in range(len(paths))], **columns}
    names = list(columns)
    if "" not in columns:
        names = draw(st.permutations(names))
    if draw(st.integers(0, 4)) == 0 and "" not in columns:
        rows = zip(*(columns[name] for name in names), strict=True)
        lines = [json.dumps(dict(zip(names, row, strict=True))) for row in rows]
        return list(zip(paths, labels, scores, strict=True)), "\n".join(lines).encode()
    buffer = io.StringIO()
    writer = csv.writer(
        buffer,
        delimiter=draw(st.sampled_from(",;\t|")),
        lineterminator=draw(st.sampled_from(["\n", "\r\n", "\r"])),
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
    )
    writer.writerow([draw(st.sampled_from([str, str.title]))(name) for name in names])
    writer.writerows(zip(*(columns[name] for name in names), strict=True))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be"]))
    return list(zip(paths, labels, scores, strict=True)), buffer.getvalue().encode(
        encoding
    )


@given(files())
@settings(max_examples=150, deadline=None, derandomize=True)
def test_every_dialect_gives_the_same_predictions(tmp_path_factory, case):
    rows, data = case
    table = tmp_path_factory.getbasetemp() / "theirs.csv"
    table.write_bytes(data)
    frame = external_predictions.read(table).frame
    found = zip(frame["path"], frame["label"], frame["score"], strict=True)
    assert list(found) == rows


@given(files(), st.data())
@settings(max_examples=150, deadline=None, derandomize=True)
def test_damaged_predictions_are_read_or_refused(tmp_path_factory, case, data):
    content = bytearray(case[1])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content)))
        content[at : at + data.draw(st.integers(0, 30))] = data.draw(
            st.binary(max_size=9)
        )
    table = tmp_path_factory.getbasetemp() / "damaged.csv"
    table.write_bytes(bytes(content))
    message = ""
    try:
        external_predictions.read(table)
    except KerasfacesError as error:
        message = str(error)
    assert "\x1b" not in message
    assert "\0" not in message
    assert len(message) < 2500


def test_backslashes_are_compared_with_slashes(tmp_path):
    run = make_run(tmp_path / "run")
    theirs = write_csv(tmp_path / "theirs.csv", scored("test", seed=1))
    theirs.write_text(theirs.read_text().replace("/", "\\"))
    found = compare.compare([str(run), str(theirs)], resamples=100)
    assert found.content["n"] == 120
