"""Tables as people really have them: the right rows, or one sentence that names the fault."""

import csv
import io
import json
import os
import unicodedata

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kerasfaces import manifest as manifests
from kerasfaces.core.errors import InputError, KerasfacesError
from kerasfaces.manifest import foreign_tables

NAMES = [
    "plain",
    "with space",
    "com,ma",
    "semi;colon",
    'quo"te',
    "pi|pe",
    "Käthe",
    "naïve café",
    "two  spaces",
    "it's",
    "deep/er/x.y",
    "(1)",
    "1e5",
]
FACES = [f"faces/{name}.jpg" for name in NAMES]


def is_plain(message):
    """Whether a text is one line without control characters."""
    kinds = {unicodedata.category(character) for character in message}
    return not any(kind[0] == "C" or kind in ("Zl", "Zp") for kind in kinds)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder that has every file the tables name, empty."""
    root = tmp_path_factory.mktemp("dialects")
    for name in FACES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


# Generated dialects


@st.composite
def dialects(draw):
    """Return rows that are known, and bytes that hold them in some dialect."""
    paths = draw(st.lists(st.sampled_from(FACES), min_size=2, max_size=6, unique=True))
    labels = [draw(st.sampled_from(["real", "fake"])) for _ in paths]
    labels[:2] = ["real", "fake"]
    spelling = draw(
        st.sampled_from(["lower", "title", "upper", "numbers", "1 is real"])
    )
    style = draw(st.sampled_from(["plain", "dot", "windows", "windows dot"]))
    written = [_spelled(path, style) for path in paths]
    columns = {"path": written}
    columns |= _labelled(labels, spelling)
    if draw(st.booleans()):
        columns["source"] = [f"cam {i % 2}" for i in range(len(paths))]
    names = draw(st.permutations(list(columns)))
    rows = [names, *map(list, zip(*(columns[n] for n in names), strict=True))]
    index = draw(st.sampled_from(["none", "unnamed", "pandas twice", "R"]))
    if index != "none":
        first = {"unnamed": [""], "pandas twice": ["Unnamed: 0"], "R": []}[index]
        rows = [first + rows[0], *([str(i), *row] for i, row in enumerate(rows[1:]))]
    form = draw(st.sampled_from(["text", "text", "text", "jsonl", "json", "columns"]))
    if form == "text":
        data = draw(_texts(rows))
    else:
        data = _json(rows, form, index)
    real_is = "1" if spelling == "1 is real" else ""
    table_format = foreign_tables.TableFormat(real_is=real_is)
    return paths, labels, columns.get("source"), data, table_format


def _spelled(path, style):
    windows = path.replace("/", "\\")
    return {
        "plain": path,
        "dot": f"./{path}",
        "windows": windows,
        "windows dot": f".\\{windows}",
    }[style]


def _labelled(labels, spelling):
    if spelling in ("numbers", "1 is real"):
        numbers = {"label": [str(int(label == "real")) for label in labels]}
        words = {"label_str": labels} if spelling == "numbers" else {}
        return numbers | words
    return {"label": [getattr(label, spelling)() for label in labels]}


@st.composite
def _texts(draw, rows):
    separator = draw(st.sampled_from(",;\t|"))
    ends = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    trailing = draw(st.booleans())
    buffer = io.StringIO()
    writer = csv.writer(
        buffer, delimiter=separator, lineterminator=ends, quoting=quoting
    )
    writer.writerows([*row, ""] if trailing else row for row in rows)
    text = buffer.getvalue() + draw(st.sampled_from(["", ends, ends + ends]))
    if draw(st.booleans()):
        text = f"sep={separator}{ends}{text}" if ends != "\r" else text
    encodings = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "latin-1"]
    return text.encode(draw(st.sampled_from(encodings)))


def _json(rows, form, index):
    header = [name or "Unnamed: 0" for name in rows[0]]
    if index == "R":
        header = ["Unnamed: 0", *header]
    records = [dict(zip(header, row, strict=True)) for row in rows[1:]]
    if form == "jsonl":
        return "\n".join(map(json.dumps, records)).encode()
    if form == "json":
        return json.dumps(records, indent=1, ensure_ascii=False).encode()
    return json.dumps({n: [r[n] for r in records] for n in header}).encode()


def _holds(files, case):
    paths, labels, sources, data, table_format = case
    table = files / "table.csv"
    table.write_bytes(data)
    rows = foreign_tables.from_table(table, table_format).rows
    assert [os.path.normpath(path) for path in rows["path"]] == paths
    assert rows["label"].tolist() == labels
    assert rows["source"].tolist() == (sources or labels)
    assert set(rows) <= {"path", "label", "source", "split", "label_str"}


@given(dialects())
@settings(max_examples=120, deadline=None, derandomize=True)
def test_every_dialect_gives_the_same_rows(files, case):
    _holds(files, case)


@pytest.mark.slow
@given(dialects())
@settings(max_examples=4000, deadline=None)
def test_many_dialects_give_the_same_rows(files, case):
    _holds(files, case)


@given(dialects(), st.data())
@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
def test_a_damaged_table_is_read_or_refused_in_one_printable_sentence(
    files, case, data
):
    """Bytes lost, doubled or replaced anywhere: never a traceback, never a raw byte."""
    content = bytearray(case[3])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        size = data.draw(st.integers(0, 40))
        content[at : at + size] = data.draw(st.binary(max_size=20))
    table = files / "damaged.csv"
    table.write_bytes(bytes(content))
    for reader in (foreign_tables.from_table, manifests.read):
        message = ""
        try:
            reader(table)
        except KerasfacesError as error:
            message = str(error)
        assert is_plain(message)
        assert len(message) < 2500


@pytest.mark.parametrize("writer", ["to_excel", "to_parquet"])
def test_excel_and_parquet_hold_the_same_rows(files, writer):
    table = files / f"t{'.xlsx' if writer == 'to_excel' else '.parquet'}"
    frame = pd.DataFrame({"Path": FACES, "label": ["real", "fake"] * 6 + ["real"]})
    getattr(frame, writer)(table)  # with the index pandas adds
    rows = foreign_tables.from_table(table).rows
    assert rows["path"].tolist() == FACES
    assert set(rows) == {"path", "label", "source", "split"}


def test_further_sheets_are_named(files, caplog):
    table = files / "sheets.xlsx"
    frame = pd.DataFrame({"path": FACES[:2], "label": ["real", "fake"]})
    with pd.ExcelWriter(table) as book:
        for name in ("train", "test", "notes"):
            frame.to_excel(book, sheet_name=name, index=False)
    assert foreign_tables.from_table(table).rows["path"].tolist() == FACES[:2]
    assert "its first sheet 'train' is read, not test, notes." in caplog.text


# What could mean two things, or nothing


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("faces/plain.jpg,real\nfaces/it's.jpg,fake\n", "line 1: .*has no header"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "it is a PNG image"),
        (b"\x1f\x8b\x08\x00\x00\x00", "unpack it first"),
        (b"path,label\n\x81\x8d.jpg,real\n", "line 2: not UTF-8.*Windows-1252 either"),
        ("path,label\na,b.jpg,real\nc.jpg,fake\n", "line 2: 3 fields, expected 2"),
        ('{"images": [], "annotations": []}', "no column 'path'"),
        ('{"images": [1], "info": {}}', r"one JSON object \(images, info\)"),
        ('{"path": "a.jpg"}\n{"path": ', "line 2: not well-formed JSON"),
        (
            '[{"path": "a.jpg", "label": "real"}\n{"path": "b.jpg", "label": "fake"}]',
            "line 2: .*no comma between two values",
        ),
        ('["a.jpg"]', "line 1: expected an object .* got 'a.jpg'"),
        ('[{"path": "\\ud800.jpg", "label": "real"}]', "half of a character"),
    ],
)
def test_what_is_no_table_is_named(tmp_path, content, message):
    table = tmp_path / "t.csv"
    table.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=message) as caught:
        foreign_tables.from_table(table)
    assert is_plain(str(caught.value))


def test_western_encodings_are_read_and_said(files, caplog):
    table = files / "western.csv"
    table.write_bytes("path;label\nfaces/Käthe.jpg;real\n".encode("cp1252"))
    assert foreign_tables.from_table(table).rows["path"].tolist() == ["faces/Käthe.jpg"]
    assert "read as Windows-1252, e.g. 'faces/Käthe.jpg'" in caplog.text
