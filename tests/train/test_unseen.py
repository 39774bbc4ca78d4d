"""Leaving families out: nothing of a family reaches its head, and what is chosen says so."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from kerasfaces import metrics
from kerasfaces.cli.train import main
from kerasfaces.core import config as configs
from kerasfaces.core import rng
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.files import read_json
from kerasfaces.features.readers import InMemory
from kerasfaces.models.config import HeadConfig, ModelConfig
from kerasfaces.run.folder import DetectorRun
from kerasfaces.train import protocol, unseen
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.examples import Examples
from kerasfaces.train.heads import Heads
from kerasfaces.train.settings import DetectorSettings

pytestmark = pytest.mark.tf
FAMILIES = ("dots", "lines", "noise")
CONFIG = TrainConfig(
    model=ModelConfig(head=HeadConfig(l2=0.01)),
    epochs=30,
    batch_size=16,
    learning_rate=0.03,
)


def examples(n=40, shift=None):
    """Each family of fakes stands out in a feature of its own."""
    random = rng.generator(0, "examples")
    parts = {}
    for split in ("train", "val"):
        labels = np.repeat([0.0, 1, 1, 1], n).astype(np.float32)
        families = np.repeat(["camera", *FAMILIES], n)
        values = random.normal(0, 1, (4 * n, 6)).astype(np.float32)
        for i, family in enumerate(FAMILIES):
            values[families == family, i] += 3
        values[labels == 1, 3] += 1  # what all have in common
        if shift is not None:
            values[families == shift] += 1e3
        parts[split] = InMemory(values), labels, list(families)
    (train, labels, names), (val, val_labels, val_names) = (
        parts["train"],
        parts["val"],
    )
    return Examples(
        train=[train],
        train_labels=labels,
        train_sources=names,
        train_families=names,
        val=val,
        val_labels=val_labels,
        val_families=val_names,
        engine="an engine",
    )


def test_a_family_is_harder_unseen_than_seen():
    known = examples()
    families, reasons = unseen.families_of(*known.fakes)
    assert families == list(FAMILIES)
    assert reasons == {}
    judged = unseen.auc_unseen(CONFIG, known, families, Heads())
    aucs = judged.aucs
    assert np.isfinite(judged.logits).all()
    assert set(aucs) == set(FAMILIES)
    seen = dataclasses.replace(known, train_families=["one"] * 160)
    for family in FAMILIES:
        (logits,) = unseen.logits_without(CONFIG, seen, family, [known.val])
        shown = unseen.against_reals(family, known.val_labels, known.val_families)
        assert metrics.auc(known.val_labels[shown], logits[shown]) > aucs[family] + 0.03
    assert judged.objective == pytest.approx(np.mean(list(aucs.values())))


def test_nothing_of_the_family_reaches_its_head():
    """Whatever its images are, the head and its logits of the others stay the same."""
    plain, moved = examples(), examples(shift="dots")
    others = np.array(plain.val_families) != "dots"
    heads = Heads()
    (a,) = unseen.logits_without(CONFIG, plain, "dots", [plain.val], heads)
    (b,) = unseen.logits_without(CONFIG, moved, "dots", [moved.val], heads)
    np.testing.assert_array_equal(a[others], b[others])
    assert not np.allclose(a[~others], b[~others])


def test_traced_heads_and_new_ones_agree():
    known = examples()
    (a,) = unseen.logits_without(CONFIG, known, "dots", [known.val], Heads())
    (b,) = unseen.logits_without(CONFIG, known, "dots", [known.val])
    np.testing.assert_allclose(a, b, atol=1e-3)


def two_cameras():
    """Reals of two cameras, far apart in feature 4; fakes were made of the first's."""
    known = examples()
    train, val = known.train[0].values.copy(), known.val.values.copy()
    names = list(known.train_sources)
    second = np.arange(0, 40, 2)
    for row in second:
        names[row] = "other camera"
    train[second, 4] += 30
    val[second, 4] += 30
    return dataclasses.replace(
        known, train=[InMemory(train)], val=InMemory(val), train_sources=names
    )


def test_a_head_that_erases_does_not_see_which_camera_it_was():
    known = two_cameras()
    erasing = configs.updated(CONFIG, {"model": {"head": {"erase": 4}}})
    moved = known.val.values.copy()
    moved[:, 4] += 30
    readers = [known.val, InMemory(moved)]
    for heads in (None, Heads()):
        a, b = unseen.logits_without(CONFIG, known, "dots", readers, heads)
        assert np.abs(a - b).mean() > 0.5  # fakes are of the first camera alone
        a, b = unseen.logits_without(erasing, known, "dots", readers, heads)
        assert np.abs(a - b).mean() < 0.25


def test_traced_heads_and_new_ones_erase_alike():
    known = two_cameras()
    erasing = configs.updated(CONFIG, {"model": {"head": {"erase": 4}}})
    (a,) = unseen.logits_without(erasing, known, "dots", [known.val], Heads())
    (b,) = unseen.logits_without(erasing, known, "dots", [known.val])
    np.testing.assert_allclose(a, b, atol=1e-3)


def test_a_study_cannot_erase():
    erasing = configs.updated(CONFIG, {"model": {"head": {"erase": 4}}})
    with pytest.raises(InputError, match=r"head\.erase: the heads of a study"):
        Heads().get(6, erasing, 10)


def test_linear_heads_are_discriminants_and_deep_ones_descend():
    linear = configs.updated(CONFIG, {"model": {"head": {"units": []}}})
    heads = [each.model.head for each in protocol.candidates(linear)]
    assert {head.solver for head in heads} == {"discriminant"}
    assert {head.between for head in heads} == {0.0, 20.0}
    deep = configs.updated(CONFIG, {"model": {"head": {"units": [8]}}})
    heads = [each.model.head for each in protocol.candidates(deep)]
    assert {head.solver for head in heads} == {"gradient"}
    assert len({head.l2 for head in heads}) == 4


def test_a_discriminant_without_a_family_sees_nothing_of_it():
    known = examples(n=40)
    config = configs.updated(
        CONFIG, {"model": {"head": {"units": [], "solver": "discriminant"}}}
    )
    (a,) = unseen.logits_without(config, known, "dots", [known.val])
    own = np.array(known.train_families, dtype=object) == "dots"
    values = known.train[0].values.copy()
    values[own] += 100
    moved = dataclasses.replace(known, train=[InMemory(values)])
    (b,) = unseen.logits_without(config, moved, "dots", [known.val], Heads())
    np.testing.assert_array_equal(a, b)


def test_what_cannot_be_left_out_is_named():
    known = examples(n=8)
    one = dataclasses.replace(
        known,
        train_families=["camera"] * 8 + ["gan"] * 24,
        val_families=["camera"] * 8 + ["gan"] * 24,
    )
    with pytest.raises(InputError, match=r"All fakes are of one family, 'gan'"):
        unseen.families_of(*one.fakes)
    names = [
        f"{name} {i}" for i, name in enumerate(known.val_families)
    ]  # a family each
    many = dataclasses.replace(known, train_families=names, val_families=names)
    with pytest.raises(InputError, match=r"No family of fakes can be left out"):
        unseen.families_of(*many.fakes)
    few = list(known.val_families)
    few[8:13] = ["lines"] * 5
    families, reasons = unseen.families_of(
        *dataclasses.replace(known, val_families=few).fakes
    )
    assert families == ["lines", "noise"]
    assert reasons == {"dots": "it has 3 validation fakes, at least 5 are needed"}


def blob(source, number):
    """A smooth picture, with grain where it is a photo."""
    random = rng.generator(0, source, number)
    x, y = np.meshgrid(*[np.linspace(-1, 1, 48)] * 2)
    plane = 120 + 90 * np.exp(-((x - random.normal() / 4) ** 2 + y**2) * 3)
    pixels = plane[..., None] * random.uniform(0.6, 1.0, 3)
    if source == "camera":
        pixels += random.normal(0, 14, pixels.shape)
    return np.clip(pixels, 0, 255).astype(np.uint8)


@pytest.fixture
def three_families(tmp_path):
    """A manifest of 40 reals and 20 fakes of each of three generators."""
    lines = ["path,label,source,split,family"]
    for source, count in (("camera", 40), ("dots", 20), ("lines", 20), ("noise2", 20)):
        label = "real" if source == "camera" else "fake"
        for number in range(count):
            image = blob(source, number)
            if source == "dots":
                image[::4, ::4] = 255
            if source == "lines":
                image[::4] = 0
            path = tmp_path / f"{source}-{number:02d}.png"
            Image.fromarray(image).save(path)
            share = number / count
            split = "train" if share < 0.5 else "val" if share < 0.75 else "test"
            family = "noise" if source == "noise2" else ""
            lines.append(f"{path.name},{label},{source},{split},{family}")
    path = tmp_path / "families.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def arguments(three_families, tiny_weights):
    taps = "block_1_expand_relu,block_3_expand_relu"
    return [
        *("--manifest", str(three_families), "--weights", str(tiny_weights)),
        *("--set", "model.size_px=32", "--set", f"model.taps={taps}"),
        *("--set", "epochs=3", "--protocol", "unseen", "--views", "2"),
    ]


def test_the_protocol_chooses_and_says_what_is_lost(arguments, tmp_path, capsys):
    run = tmp_path / "run"
    assert main([*arguments, "-o", str(run)]) == 0
    content = read_json(run / "unseen.json")
    assert set(content["families"]) == set(FAMILIES)
    assert len(content["grid"]) == 3 * len(protocol.SHRINKAGE) * len(protocol.BETWEEN)
    best = max(each["val_auc_unseen"] for each in content["grid"])
    assert content["chosen"]["val_auc_unseen"] == best
    config = read_json(run / "config.json")["train"]
    assert config["model"]["taps"] == content["chosen"]["taps"]
    head = config["model"]["head"]
    assert head["solver"] == "discriminant"
    assert content["chosen"]["head"] == (
        f"ridge {head['shrinkage']:g}, between generators {head['between']:g}"
    )
    asked = read_json(run / "protocol.json")["train"]
    assert asked["model"]["head"]["l2"] == 0.01
    assert (asked["launder"], asked["weigh_sources"]) == (1.0, "sqrt")
    for part in content["families"].values():
        test = part["test"]
        assert (test["n_real"], test["n_fake"]) == (10, 5)
        low, high = (test["unseen"]["auc"][key] for key in ("low", "high"))
        assert low <= test["unseen"]["auc"]["value"] <= high
    point = read_json(run / "operating_point.json")
    assert "heads that had not seen their family" in point["rule"]
    assert point["chosen_on"] == {"split": "val", "n_real": 10, "n_fake": 15}
    assert "family" in pd.read_csv(run / "predictions_test.csv").columns
    page = (run / "report.html").read_text()
    assert "Generators it has not seen" in page
    assert "For each family of fakes a head was trained without it" in page
    # A second call, and measuring again, change nothing and still say it.
    before = (run / "config.json").read_bytes()
    assert main([*arguments, "-o", str(run)]) == 0
    assert (run / "config.json").read_bytes() == before
    from kerasfaces.cli.evaluate import main as evaluate

    assert evaluate([str(run)]) == 0
    assert "a head was trained without it" in (run / "report.html").read_text()
    DetectorRun.open(run).network.load()
    (run / "unseen.json").write_text('{"families": {}}')
    with pytest.raises(RunError, match=r"unseen\.json\) is damaged, it lacks chosen"):
        evaluate([str(run)])
    capsys.readouterr()


def test_the_base_runs_once_whatever_layers_are_chosen(
    arguments, tmp_path, monkeypatch
):
    """The chosen layers' features are columns of those of all."""

    def fewer_is_better(config, part, families, heads):
        few = len(config.model.taps) == 1
        return unseen.Unseen(dict.fromkeys(families, 0.9 if few else 0.6), None)

    monkeypatch.setattr(unseen, "auc_unseen", fewer_is_better)
    run = tmp_path / "run"
    assert main([*arguments, "-o", str(run)]) == 0
    taps = read_json(run / "config.json")["train"]["model"]["taps"]
    assert taps == ["block_1_expand_relu"]
    training = read_json(run / "training.json")
    assert (
        training["features_cached"] == 100 + 50
    )  # images, and a view of those trained on
    assert training["agreement"] < 1e-3


def test_another_question_in_the_folder_is_refused(arguments, tmp_path):
    run = tmp_path / "run"
    main([*arguments, "-o", str(run)])
    with pytest.raises(RunError, match=r"train\.epochs: 3 -> 2"):
        main([*arguments, "--set", "epochs=2", "-o", str(run)])
    standard = [word for word in arguments if word not in ("--protocol", "unseen")]
    with pytest.raises(RunError, match="holds another run"):
        main([*standard, "-o", str(run)])


class KilledError(BaseException):
    """Stands for a kill: nothing may catch it."""


def test_a_killed_choice_continues_to_the_same_result(arguments, tmp_path, monkeypatch):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    main([*arguments, "-o", str(whole)])
    ask, count = unseen.auc_unseen, []

    def dying(*given):
        if len(count) == 4:
            raise KilledError
        count.append(1)
        return ask(*given)

    monkeypatch.setattr(unseen, "auc_unseen", dying)
    with pytest.raises(KilledError):
        main([*arguments, "-o", str(killed)])
    assert len(list((killed / "unseen").glob("*.json"))) == 4
    count.clear()
    monkeypatch.setattr(unseen, "auc_unseen", lambda *a: (count.append(1), ask(*a))[1])
    main([*arguments, "-o", str(killed)])
    assert len(count) == 3 * len(protocol.SHRINKAGE) * len(protocol.BETWEEN) - 4
    for name in ("unseen.json", "operating_point.json", "predictions_test.csv"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes()


def test_what_has_no_head_on_a_frozen_base_is_refused(arguments, tmp_path):
    no_weights = [
        "none" if "weights" in word and "/" in word else word for word in arguments
    ]
    with pytest.raises(InputError, match="trains a head per family on a frozen base"):
        main([*no_weights, "-o", str(tmp_path / "a")])
    assert not (tmp_path / "a").exists()
    with pytest.raises(InputError, match="`protocol` is for networks"):
        DetectorSettings(model="hog_svm", protocol="unseen").configuration()
    with pytest.raises(InputError, match="protocol: expected standard or unseen"):
        DetectorSettings(protocol="never").configuration()


def test_one_family_is_a_sentence(arguments, three_families, tmp_path):
    text = three_families.read_text().replace(",noise\n", ",g\n")
    for source in ("dots", "lines"):
        text = text.replace(f"{source},train,", f"{source},train,g")
        text = text.replace(f"{source},val,", f"{source},val,g")
        text = text.replace(f"{source},test,", f"{source},test,g")
    three_families.write_text(text)
    with pytest.raises(InputError, match="All fakes are of one family, 'g'"):
        main([*arguments, "-o", str(tmp_path / "run")])


def test_the_library_says_it_as_a_table(three_families, tiny_weights, tmp_path):
    import kerasfaces as kf

    detector = kf.Detector(
        weights=tiny_weights,
        views=2,
        epochs=2,
        model={"size_px": 32, "taps": ("block_1_expand_relu",)},
    )
    data = kf.Manifest.from_csv(three_families)
    detector.fit(data, output=tmp_path / "run", protocol="unseen")
    table = detector.unseen
    assert list(table["family"].unique()) == list(FAMILIES)
    assert set(table["split"]) == {"val", "test"}
    assert table["auc"].between(0, 1).all()
    detector.fit(data, output=tmp_path / "plain")
    with pytest.raises(InputError, match="no family was left out"):
        _ = detector.unseen
    json.dumps(table.to_dict())
