"""A manifest in, its annotated copy out; what is kept, corrected and computed once."""

import json

import numpy as np
import pytest
from face_pictures import portrait
from PIL import Image

from kerasfaces import manifest as manifests
from kerasfaces.annotate import facts, run
from kerasfaces.annotate.contract import Weights
from kerasfaces.cli import annotate as command
from kerasfaces.core.errors import InputError, MissingFileError, RunError
from kerasfaces.core.files import read_json
from kerasfaces.manifest.attributes import Attributes
from kerasfaces.run import predictions

CLASSES = {
    "attr_gender": {"", "man", "woman"},
    "attr_race": {"", "asian", "black", "white"},
    "attr_expression": {"", "positive", "neutral", "negative"},
}


def settings(weights, **changes):
    given = {"annotators": ("gear", "emotion"), "weights": Weights(folder=weights)}
    return run.Settings(**{**given, **changes})


def test_columns_are_what_manifests_use(pictures, weights, tmp_path):
    annotated = run.annotate(pictures, settings(weights))
    rows = annotated.manifest.rows
    for column, values in CLASSES.items():
        assert set(rows[column]) <= values
    assert list(rows["face_count"]) == ["1", "1", "1", "0", "2", ""]
    assert list(rows["annotated_gender_by"][3:4]) == ["no face found"]
    assert rows["annotated_gender_confidence"][0] != ""
    left, top, right, bottom = map(float, rows["face_box"][0].split())
    assert 0 <= left < right <= 160
    assert 0 <= top < bottom <= 160
    ages = [float(text) for text in rows["attr_age"] if text]
    assert len(ages) == 4
    assert all(15 <= age <= 68 for age in ages)
    assert set(annotated.lost) == {"no face found", rows["annotated_gender_by"][5]}


def test_a_tiny_face_has_a_place_and_no_attributes(weights, tmp_path):
    lines = ["path,label,source,split"]
    for side in (30, 90):
        small = portrait(0).resize((side, side), Image.Resampling.LANCZOS)
        small.save(tmp_path / f"{side}.png")
        lines.append(f"{side}.png,real,camera,")
    (tmp_path / "m.csv").write_text("\n".join(lines) + "\n")
    data = manifests.read(tmp_path / "m.csv")
    annotated = run.annotate(data, settings(weights))
    rows = annotated.manifest.rows
    assert list(rows["face_count"]) == ["1", "1"]
    assert int(rows["face_size_px"][0]) < facts.LEAST_PX <= int(rows["face_size_px"][1])
    assert rows["annotated_gender_by"][0] == "the face is too small"
    assert rows["attr_age"][0] == rows["annotated_gender_confidence"][0] == ""
    assert rows["attr_age"][1]
    assert annotated.lost == {"the face is too small": ["30.png"]}


def test_only_values_are_attributes(pictures, weights):
    rows = run.annotate(pictures, settings(weights)).manifest.rows
    attributes = predictions.attributes(rows)
    assert "attr_age" in attributes
    assert not [name for name in attributes if not name.startswith("attr_")]
    assert "annotated_age_by" in rows


def test_an_annotated_table_gives_another_manifest_its_attributes_alone(
    pictures, weights, tmp_path
):
    run.write(run.annotate(pictures, settings(weights)), tmp_path / "annotated.csv")
    bare = pictures.rows[["path", "label", "source", "split"]]
    rows = Attributes(tmp_path / "annotated.csv").join(bare)
    names = [name for name in rows if name.startswith("attr_")]
    assert sorted(names) == ["attr_age", "attr_expression", "attr_gender", "attr_race"]
    assert "annotated_race_by" in rows
    assert "face_count" in rows


def test_what_the_manifest_states_stays(pictures, weights):
    rows = run.annotate(pictures, settings(weights)).manifest.rows
    assert rows["attr_gender"][1] == "woman"
    assert rows["annotated_gender_by"][1] == "stated"
    assert rows["annotated_gender_confidence"][1] == ""


def test_corrections_win(pictures, weights, tmp_path):
    table = tmp_path / "hand.csv"
    table.write_text("file_name,gender\np1.png,man\np0.png,woman\np2.png,\n")
    rows = run.annotate(pictures, settings(weights, corrections=table)).manifest.rows
    assert list(rows["attr_gender"][:2]) == ["woman", "man"]
    assert list(rows["annotated_gender_by"][:2]) == ["hand", "hand"]
    assert rows["annotated_gender_by"][2] not in ("hand", "stated")


def test_a_wrong_correction_is_refused(pictures, weights, tmp_path):
    table = tmp_path / "hand.csv"
    table.write_text("file_name,gender,age\np1.png,female,30\n")
    with pytest.raises(InputError, match=r"'female' is no value of attr_gender.*man"):
        run.annotate(pictures, settings(weights, corrections=table))
    table.write_text("file_name,age\np1.png,old\n")
    with pytest.raises(
        InputError, match="'old' is no value of attr_age; expected a nu"
    ):
        run.annotate(pictures, settings(weights, corrections=table))


@pytest.mark.parametrize(
    "text", ["path,gender\nq1.png,man\n", "path,gender\np1.png,\n", "path\np1.png\n"]
)
def test_corrections_that_correct_nothing_are_refused(
    text, pictures, weights, tmp_path
):
    table = tmp_path / "hand.csv"
    table.write_text(text)
    with pytest.raises(InputError, match=r"hand\.csv corrects nothing"):
        run.annotate(pictures, settings(weights, corrections=table))


@pytest.mark.parametrize("column", ["gendr", "attr_gendr"])
def test_a_correction_of_no_attribute_is_named(column, pictures, weights, tmp_path):
    table = tmp_path / "hand.csv"
    table.write_text(f"file_name,{column},gender\np0.png,man,man\n")
    with pytest.raises(
        InputError, match=r"'gendr' is no attribute.*attr_age.*mean 'attr_gender'"
    ):
        run.annotate(pictures, settings(weights, corrections=table))


def test_what_no_chosen_annotator_tells_can_be_corrected(pictures, tmp_path):
    """Attributes of another annotator, and the manifest's own; its other columns are none."""
    rows = pictures.rows.assign(attr_hat="", camera="x")
    table = tmp_path / "hand.csv"
    table.write_text("path,hat,gender,camera\np0.png,bowler,woman,y\n")
    given = settings(None, annotators=(), corrections=table)
    after = run.annotate(manifests.Manifest(rows, pictures.folder), given).manifest.rows
    assert after["attr_hat"][0] == "bowler"
    assert after["annotated_gender_by"][0] == "hand"
    assert "attr_camera" not in after
    assert set(after["camera"]) == {"x"}


def test_an_annotated_table_is_annotated_again(pictures, weights, tmp_path):
    """What an annotator wrote is nobody's statement; what a hand wrote stays."""
    table = tmp_path / "hand.csv"
    table.write_text("file_name,gender\np0.png,woman\n")
    first = run.annotate(pictures, settings(weights, corrections=table))
    again = run.annotate(
        first.manifest, settings(weights, min_confidence={"gender": 1.0})
    )
    by = list(again.manifest.rows["annotated_gender_by"])
    assert by[:3] == ["hand", "stated", "not sure"]
    assert list(again.manifest.rows["attr_gender"][:3]) == ["woman", "woman", ""]


def test_nothing_is_looked_at_twice(pictures, weights, looks):
    first = run.annotate(pictures, settings(weights)).manifest.rows
    n_looks = len(looks)
    assert n_looks == 5  # the sixth cannot be decoded
    other = settings(weights, min_confidence={"race": 0.99})
    second = run.annotate(pictures, other).manifest.rows
    assert len(looks) == n_looks
    assert list(first["annotated_race_confidence"]) == list(
        second["annotated_race_confidence"]
    )


def test_a_second_annotator_computes_only_itself(pictures, weights, looks):
    run.annotate(pictures, settings(weights, annotators=("gear",)))
    run.annotate(pictures, settings(weights))
    assert len(looks) == 5


def test_a_killed_call_continues(pictures, weights, looks, monkeypatch):
    from kerasfaces.annotate import answers

    monkeypatch.setattr(answers, "_SHARD_IMAGES", 2)
    flush, calls = answers._flush, []

    def dying(stores, pending):
        flush(stores, pending)
        calls.append(len(pending))
        if len(calls) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(answers, "_flush", dying)
    with pytest.raises(KeyboardInterrupt):
        run.annotate(pictures, settings(weights))
    n_looks = len(looks)
    rows = run.annotate(pictures, settings(weights)).manifest.rows
    assert len(looks) - n_looks == 3  # two of the five were written before
    assert list(rows["face_count"]) == ["1", "1", "1", "0", "2", ""]


def test_the_command_says_how_many_faces_there_are(pictures, tmp_path, capsys):
    file, out = tmp_path / "m.csv", tmp_path / "o.csv"
    manifests.table.write(pictures, file)
    with pytest.raises(InputError, match=r"names nobody.*write none"):
        command.main([str(file), "-o", str(out), "--annotators", " "])
    assert command.main([str(file), "-o", str(out), "--annotators", "none"]) == 0
    printed = capsys.readouterr().out
    assert "a face in 4 of 6 images; no attributes were asked for" in printed
    assert "column" not in printed


def test_faces_alone_need_no_weights(pictures):
    rows = run.annotate(pictures, run.Settings(annotators=())).manifest.rows
    assert list(rows["face_count"])[:3] == ["1", "1", "1"]
    assert "annotated_gender_by" not in rows


def test_files_beside_the_table(pictures, weights, tmp_path):
    annotated = run.annotate(pictures, settings(weights))
    run.write(annotated, tmp_path / "out" / "annotated.csv")
    written = manifests.read(tmp_path / "out" / "annotated.csv")
    assert len(written) == 6
    notes = read_json(tmp_path / "out" / "annotators.json")
    gender = notes["attributes"]["attr_gender"]
    assert gender["annotator"] == "gear"
    assert gender["classes"] == ["man", "woman"]
    assert "MIT" in notes["annotators"]["gear"]["licence"]
    with np.load(tmp_path / "out" / "annotated.landmarks.npz") as arrays:
        assert arrays["six"].shape == (6, 6, 2)
        assert np.isfinite(arrays["six"][0]).all()
        assert np.isnan(arrays["six"][3]).all()
        assert list(arrays["path"]) == list(pictures.rows["path"])


def test_a_second_table_in_the_folder_keeps_the_first_ones_notes(
    pictures, weights, tmp_path
):
    run.write(run.annotate(pictures, settings(weights)), tmp_path / "one.csv")
    faces_alone = run.annotate(pictures, run.Settings(annotators=()))
    run.write(faces_alone, tmp_path / "two.csv")
    notes = read_json(tmp_path / "annotators.json")
    assert notes["attributes"]["attr_race"]["annotator"] == "gear"
    (tmp_path / "annotators.json").write_text("[]")
    with pytest.raises(RunError, match=r"annotators\.json holds no object"):
        run.write(faces_alone, tmp_path / "three.csv")


def test_missing_weights_are_one_sentence(pictures, tmp_path):
    with pytest.raises(MissingFileError, match=r"gear\.json is not there"):
        run.annotate(pictures, settings(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"annotators": ("gera",)}, "no annotator named 'gera'.*'gear'"),
        ({"annotators": ("gear", "gear")}, "names one twice"),
        ({"min_confidence": {"height": 0.5}}, "no annotator tells 'height'"),
        ({"min_confidence": {"gender": 1.5}}, "expected 0..1 for gender, got 1.5"),
    ],
)
def test_wrong_settings_are_refused(changes, said, tmp_path):
    with pytest.raises(InputError, match=said):
        settings(tmp_path, **changes)


def test_crops_keep_the_box_in_their_original(pictures, weights):
    rows = pictures.rows.assign(face_box="1.0 2.0 3.0 4.0", face_crop="margin 0.3")
    own = manifests.Manifest(rows, pictures.folder)
    written = run.annotate(own, settings(weights)).manifest.rows
    assert set(written["face_box"]) == {"1.0 2.0 3.0 4.0"}
    assert written["face_count"][0] == "1"


def test_the_library_writes_the_same(pictures, weights, tmp_path):
    import kerasfaces as kf

    data = kf.Manifest(pictures).annotate(
        ["gear"], weights=weights, output=tmp_path / "o.csv"
    )
    assert "annotated_race_raw" in data.table
    assert json.loads((tmp_path / "annotators.json").read_text())["format"] == 1
