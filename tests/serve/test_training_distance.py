"""How far a picture is from the training images: in the export, in answers, published."""

import shutil

import numpy as np
import pytest
from PIL import Image

from kerasfaces import images
from kerasfaces.core import rng
from kerasfaces.core.errors import RunError
from kerasfaces.core.files import read_json, write_json
from kerasfaces.run import training_features
from kerasfaces.run.folder import DetectorRun
from kerasfaces.serve import golden, opening
from kerasfaces.serve.answer import Options, answer_all
from kerasfaces.serve.background import Background
from kerasfaces.serve.exported import ExportedDetector
from kerasfaces.serve.http.batching import Batched
from kerasfaces.serve.publish.upload import publish

pytestmark = pytest.mark.tf
QUIET = Options(stability=False, provenance=False, find_faces=False)
FAR = "farther from the training images than all 12 validation images"


@pytest.fixture
def stripes(tmp_path):
    """A picture unlike every training image."""
    path = tmp_path / "stripes.png"
    pixels = np.zeros((48, 48, 3), np.uint8)
    pixels[:, ::2] = rng.generator(0, "stripes").integers(0, 255, (48, 24, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def test_training_keeps_its_images_by_hash_with_labels(run, test_rows):
    features = DetectorRun(run).training_features
    assert len(features.vectors) == features.n_training == 48
    assert features.sources == ("camera", "gan")
    assert features.fake.sum() == 24
    assert len(features.val_distances) == 12
    files = DetectorRun(run).manifest.files()
    train = {images.sha256(images.read_file(file)) for file in files[:24]}
    assert train < {bytes(row).hex() for row in features.hashes}


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino", "keras"])
def test_every_engine_gives_the_final_layer_of_training(exported_run, engine):
    if engine != "keras":
        pytest.importorskip(engine)
    detector = ExportedDetector.open(exported_run, engine=engine)
    features = detector_features = DetectorRun(exported_run).training_features
    file = DetectorRun(exported_run).manifest.files()[0]
    pixels = detector.prepare(images.load(file))[None]
    logits, embedding = detector.outputs(pixels)
    np.testing.assert_allclose(logits, detector.logits(pixels), atol=1e-5)
    position, distance = features.nearest(detector_features.project(embedding))
    own = images.sha256(images.read_file(file))
    assert bytes(features.hashes[position[0, 0]]).hex() == own
    assert distance[0, 0] < 0.01 * features.val_distances[0] + 0.1
    assert detector.outputs(pixels, embed=False)[1] is None


def test_answers_warn_of_what_is_far_from_training(decided_run, stripes):
    detector = ExportedDetector.open(decided_run, engine="onnxruntime")
    near = DetectorRun(decided_run).manifest.files()[0]
    far, close = answer_all([stripes, near], detector, QUIET)
    assert FAR in far.warnings
    assert not any("farther" in each for each in close.warnings)
    (quick,) = answer_all([stripes], detector, Options.quick())
    assert quick.warnings == ()
    with_versions = next(
        iter(answer_all([stripes], detector, Options(find_faces=False)))
    )
    assert FAR in with_versions.warnings


def test_the_service_warns_too(decided_run, stripes):
    detector = ExportedDetector.open(decided_run, engine="onnxruntime")
    batched = Batched(detector)
    (answer,) = answer_all(
        [stripes], batched, QUIET, background=Background.of(detector)
    )
    batched.close()
    assert FAR in answer.warnings


def test_a_run_without_training_features_answers_without_the_sentence(
    decided_run, stripes
):
    DetectorRun(decided_run).training_features_file.unlink()
    (answer,) = answer_all([stripes], ExportedDetector.open(decided_run), QUIET)
    assert answer.verdict != "unreadable"
    assert not any("farther" in each for each in answer.warnings)


def test_damaged_training_features_are_one_sentence(decided_run):
    DetectorRun(decided_run).training_features_file.write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(RunError, match=r"training_features.npz is damaged"):
        Background.of(ExportedDetector.open(decided_run, engine="onnxruntime"))


def test_an_older_export_is_made_anew_where_keras_is(exported_run):
    run = exported_run
    file = run / "exports" / "onnx" / "export.json"
    content = read_json(file)
    del content["final_layer"]
    write_json(file, content)
    assert ExportedDetector.open(run, engine="onnxruntime").embeds
    assert read_json(file)["final_layer"] == "final_layer"


def test_another_final_layer_than_the_golden_one_is_refused(exported_run):
    folder = exported_run / "exports" / "onnx"
    value = read_json(folder / "golden.json")
    vectors = golden.Golden.from_json(value, "x")
    changed = vectors.embedding + 1
    write_json(
        folder / "golden.json",
        golden.Golden(
            vectors.levels, vectors.low, vectors.high, vectors.logits, 1e-3, changed
        ).to_json(),
    )
    content = read_json(folder / "export.json")
    from kerasfaces.serve.export import hashes

    write_json(folder / "export.json", content | {"files": hashes(folder)})
    with pytest.raises(RunError, match="another final layer"):
        opening.open_export(folder)


def test_published_features_have_neither_names_nor_hashes(run, tmp_path):
    out = tmp_path / "out"
    publish(run, "somebody/faces", dry_run=True, target=out)
    published = DetectorRun(out / "model").training_features
    own = DetectorRun(run).training_features
    assert np.array_equal(published.vectors, own.vectors)
    assert published.hashes.shape == (0, 32)
    content = b"".join(
        f.read_bytes() for f in (out / "model").rglob("*") if f.is_file()
    )
    assert not any(bytes(row) in content for row in own.hashes)
    assert not any(bytes(row).hex().encode() in content for row in own.hashes)
    shutil.rmtree(out)
    publish(run, "somebody/faces", dry_run=True, target=out, with_features=False)
    assert not DetectorRun(out / "model").training_features_file.exists()
    assert DetectorRun.open(out / "model").training_features is None


def test_a_network_trained_whole_keeps_its_features_too(tmp_path, tiny_images):
    from kerasfaces.cli.train import main

    lines = ["path,label,source,split"]
    for label, source in (("real", "camera"), ("fake", "gan")):
        for number in range(12):
            split = "train" if number < 6 else "val" if number < 9 else "test"
            path = tiny_images / label / source / f"{number:02d}.png"
            lines.append(f"{path},{label},{source},{split}")
    (tmp_path / "manifest.csv").write_text("\n".join(lines) + "\n")
    words = ["--set", "model.size_px=32", "--set", "epochs=1", "--weights", "none"]
    words += ["--model", "two_layer_cnn", "--manifest", str(tmp_path / "manifest.csv")]
    main([*words, "-o", str(tmp_path / "run")])
    run = DetectorRun(tmp_path / "run")
    detector = ExportedDetector.open(run.path, engine="keras")
    pixels = detector.prepare(images.load(run.manifest.files()[0]))[None]
    logits, embedding = detector.outputs(pixels)
    np.testing.assert_allclose(logits, detector.logits(pixels), atol=1e-5)
    features = run.training_features
    assert features.nearest(features.project(embedding))[1][0, 0] < 0.05
    assert isinstance(features, training_features.TrainingFeatures)
