"""Labels the wrong way round are told, whatever says so: a folder, a file or a source."""

import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasfaces.api.loading import load_data
from kerasfaces.cli import manifest as command
from kerasfaces.manifest import contradictions
from kerasfaces.manifest.check import check

OTHER = {"real": "fake", "fake": "real"}
# How a data set says the class: path and source by class and number.
MANNERS = {
    "folder": lambda word, i: (f"{word['plain']}/{i}.png", "s"),
    "folder deep": lambda word, i: (f"x/0_{word['plain']}/00000/{i}.png", "s"),
    "name": lambda word, i: (
        f"Celeb-{word['plain']}/{i}.png",
        f"Celeb-{word['plain']}",
    ),
    "synonym": lambda word, i: (f"set/{word['other']}/{i}.png", "s"),
    "file": lambda word, i: (f"images/{word['plain']}_{i:04d}.png", "s"),
    "source": lambda word, i: (f"images/{i}.png", f"{word['plain']}_faces"),
    "capitals": lambda word, i: (f"{word['plain'].upper()}/{i}.png", "s"),
}
WORDS = {
    "real": {"plain": "real", "other": "nature"},
    "fake": {"plain": "fake", "other": "ai"},
}


def sentence(rows):
    """Return what `check` says of a table whose images are not there."""
    rows = rows.assign(split="")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.csv"
        rows.to_csv(path, index=False)
        found = [each.detail for each in check(path)[1]]
    said = [detail for detail in found if "have the other label" in detail]
    assert len(said) < 2
    return said[0] if said else ""


def table(manner, labels, flipped):
    rows = []
    for i, label in enumerate(labels):
        path, source = MANNERS[manner](WORDS[label], i)
        told = OTHER[label] if i in flipped else label
        rows.append({"path": path, "label": told, "source": source})
    return pd.DataFrame(rows, dtype=str)


@given(
    st.sampled_from(list(MANNERS)),
    st.lists(st.sampled_from(["real", "fake"]), min_size=4, max_size=20),
    st.sets(st.integers(0, 19)),
)
@settings(max_examples=40, derandomize=True, deadline=None)
def test_every_contradiction_is_counted(manner, labels, flipped):
    labels = ["real", "fake", *labels]
    flipped = {i for i in flipped if i < len(labels)}
    said = sentence(table(manner, labels, flipped))
    if not flipped:
        assert said == ""
        return
    assert said.startswith(f"{len(flipped)} of the {len(labels)} rows")
    assert said.count("\n") == 0
    assert ("wrong way round" in said) == (len(flipped) > len(labels) / 2)


@pytest.mark.parametrize(
    ("path", "label", "source"),
    [
        ("fake/real_esrgan/1.png", "fake", "real_esrgan"),
        ("fake/realistic_vision/1.png", "fake", "realistic_vision"),
        ("real/natural_history/1.png", "real", "natural_history"),
        ("a/natural_history/1.png", "fake", "sd"),
        ("real_vs_fake/test/1.png", "fake", "x"),
        ("a/1.png", "fake", "stylegan"),
        ("train/progan/0_real/1.png", "real", "progan_real"),
    ],
)
def test_no_false_alarm(path, label, source):
    other = {"path": "b/2.png", "label": OTHER[label], "source": "other"}
    rows = pd.DataFrame([{"path": path, "label": label, "source": source}, other])
    assert sentence(rows) == ""


def test_what_all_images_lie_in_says_nothing():
    paths = [f"/home/me/fake_detection/{label}/1.png" for label in ("a", "b")]
    rows = pd.DataFrame({"path": paths, "label": ["real", "fake"], "source": "s"})
    assert sentence(rows) == ""


def test_build_check_and_train_say_so(tmp_path, picture, capsys, caplog):
    lines = ["path,y,source"]
    for i in range(6):
        word = "real" if i % 2 else "fake"
        picture(i).save(tmp_path / f"{word}_{i}.png")
        lines.append(f"{word}_{i}.png,{i % 2},s")
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    out = str(tmp_path / "m.csv")
    asked = ["--map", "label=y", "--real-is", "0", "-o", out]
    assert command.main(["build", str(tmp_path / "t.csv"), *asked]) == 0
    expected = (
        "6 of the 6 rows whose path or source has a word for a class have the other label "
        "(3 labelled real where it says fake, 3 labelled fake where it says real"
    )
    assert expected in caplog.text
    capsys.readouterr()
    assert command.main(["check", out]) == 1
    assert expected in capsys.readouterr().out
    notes = load_data(tmp_path / "m.csv").notes
    assert len(notes) == 1
    assert notes[0].startswith(expected)


def test_a_source_of_thousands_of_letters_is_data_and_says_nothing():
    rows = pd.DataFrame(
        {
            "path": ["a.png", "b.png"],
            "label": ["real", "fake"],
            "source": ["set" * 3000, "faces" * 30 + "real"],
        }
    )
    assert "(1 labelled fake where it says real;" in contradictions.sentence(rows)
