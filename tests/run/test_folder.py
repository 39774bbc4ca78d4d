"""Run folders as objects: what kind, which format, which files."""

import numpy as np
import pytest
from detector_files import make_run

from kerasfaces.core.errors import InputError, MissingFileError, RunError
from kerasfaces.core.files import read_json, read_table, write_json
from kerasfaces.run import layout
from kerasfaces.run.folder import DetectorRun, EnsembleRun, Run, ScoredRun


@pytest.mark.parametrize("kind", Run.KINDS[:-1])
def test_a_folder_opens_as_its_kind(tmp_path, kind):
    write_json(tmp_path / kind.MARKS[0], {})
    assert type(Run.kind(tmp_path)) is kind
    if kind is not EnsembleRun:
        assert type(Run.open(tmp_path)) is kind
    with pytest.raises(InputError, match=f"^{tmp_path} "):
        DetectorRun.open(tmp_path)


def test_a_detector_and_what_it_says(tmp_path):
    run = DetectorRun.open(make_run(tmp_path / "run"))
    assert isinstance(Run.open(run.path), DetectorRun)
    assert run.predicted == ["test", "val"]
    assert len(run.readable("test")) == len(run.predictions("test")) == 120
    assert np.isfinite(run.operating_point.threshold)
    assert run.audit == {}
    assert run.history is None
    assert run.trained_on().endswith("it has no manifest.csv.")


def test_an_evaluation_knows_its_run(tmp_path):
    run = ScoredRun.open(make_run(tmp_path / "run"))
    inside = run.evaluation("abc-test")
    assert inside.is_evaluation
    assert inside.origin.path == run.path
    assert run.origin is run


def test_writing_states_the_format_and_guards_the_identity(tmp_path):
    run = DetectorRun(tmp_path / "run")
    with run.writing({"train": {"seed": 0}}):
        run.metrics = {"metrics": {}}
    assert read_json(run.path / "format.json")["format"] == layout.FORMAT
    assert run.config == {"train": {"seed": 0}}
    with (
        pytest.raises(RunError, match=r"holds another run \(train\.seed: 0 -> 1\)"),
        run.writing({"train": {"seed": 1}}),
    ):
        pass


def test_a_newer_format_is_refused(tmp_path):
    run = DetectorRun(make_run(tmp_path / "run"))
    newer = {"format": layout.FORMAT + 1, "kerasfaces": "99.1"}
    write_json(run.path / "format.json", newer)
    message = r"has format 2, written by kerasfaces '99\.1'.* install the newer version"
    with pytest.raises(RunError, match=message):
        Run.open(run.path)
    with pytest.raises(RunError, match=message), run.writing({}):
        pass
    for odd in ("x", 0, None):
        write_json(run.path / "format.json", {"format": odd})
        with pytest.raises(RunError, match="expected 1; restore the file"):
            Run.open(run.path)


def test_what_is_damaged_or_not_there_is_a_sentence(tmp_path):
    run = DetectorRun(make_run(tmp_path / "run"))
    (run.path / "config.json").write_text("[]")
    with pytest.raises(RunError, match=r"config\.json holds no object; restore"):
        run.config.get("train")
    run.point_file.unlink()
    with pytest.raises(MissingFileError, match="is not a finished run"):
        Run.open(run.path)
    write_json(run.path / "metrics.json", {"image_root": 3})
    with pytest.raises(RunError, match="image_root is 3, expected a folder"):
        assert run.image_root


def test_a_machine_and_images_are_kept_as_they_were_first(tmp_path):
    run = Run(tmp_path / "run")
    run.describe_machine()
    assert "python" in run.environment
    run.audit = {"flagged": True}
    assert run.audit == {"flagged": True}


def test_a_damaged_manifest_is_one_sentence_where_images_are_counted(tmp_path):
    run = DetectorRun(tmp_path)
    run.manifest_file.write_text(
        "path,label,source,split\na,real,x,train\nb,fake,y,val\n"
    )
    assert run.image_counts() == {
        "train": {"real": {"x": 1}},
        "val": {"fake": {"y": 1}},
    }
    run.manifest_file.write_bytes(b"path,label\n\xff,real\n")
    with pytest.raises(RunError, match=r"manifest\.csv is damaged"):
        run.trained_on()


def test_a_damaged_table_is_one_sentence(tmp_path):
    for content in (b"a\n1\n2,3\n", b'a,"b\n1', b"\xff\xfe\x00"):
        (tmp_path / "metrics.csv").write_bytes(content)
        (tmp_path / "history.csv").write_bytes(content)
        for name in ("table", "history"):
            with pytest.raises(
                RunError, match=r"csv is damaged \(.*restore or delete it"
            ):
                getattr(ScoredRun(tmp_path), name)


def test_a_table_may_hold_a_generator_called_na(tmp_path):
    (tmp_path / "t.csv").write_text("name,value\nNA,1\nb,\n")
    table = read_table(tmp_path / "t.csv")
    assert list(table["name"]) == ["NA", "b"]
    assert table["value"].isna().tolist() == [False, True]


def test_no_history_is_none(tmp_path):
    assert ScoredRun(tmp_path).history is None
    (tmp_path / "history.csv").write_text("\n")
    assert ScoredRun(tmp_path).history is None
