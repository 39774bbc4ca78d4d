"""A study ranked by what its heads do on families of fakes they had not seen."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from kerasfaces import manifest as manifests
from kerasfaces.cli.tune import main
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import read_json
from kerasfaces.features.readers import InMemory
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.examples import Examples
from kerasfaces.tune.study import Study
from kerasfaces.tune.tasks import Training

pytestmark = pytest.mark.tf

STUDY = '''"""A test's study."""
from kerasfaces.models.config import HeadConfig, ModelConfig
from kerasfaces.train.config import TrainConfig
from kerasfaces.tune.study import Study


def get_study():
    return Study(
        title="t", configure=configure, bases=("mobilenetv2",), oracle="grid",
        objective="val_auc_unseen",
    )


def configure(hp, components):
    head = HeadConfig(l2=hp.Choice("l2", [0.001, 0.1]))
    model = ModelConfig(size_px=32, taps=("block_1_expand_relu",), head=head)
    return TrainConfig(model=model, epochs=2, batch_size=16, patience=None)
'''


def test_a_trial_says_what_each_family_is_unseen(tmp_path):
    from kerasfaces.tune.trainer import Trainer

    n = 24
    labels = np.repeat([0.0, 1, 1], n).astype(np.float32)
    families = list(np.repeat(["camera", "a", "b"], n))
    values = np.random.default_rng(0).normal(0, 1, (3 * n, 4)).astype(np.float32)
    values[n : 2 * n, 0] += 4  # nothing of a helps with b
    values[2 * n :, 1] += 4
    features = Examples(
        train=[InMemory(values)],
        train_labels=labels,
        train_sources=families,
        train_families=families,
        val=InMemory(values),
        val_labels=labels,
        val_families=families,
        engine="an engine",
    )

    class Sets:
        def data(self, config):
            pass

        def features(self, config):
            return features

    config = TrainConfig(epochs=20, batch_size=16, learning_rate=0.05, patience=None)
    training = Training(
        trial_id="0000",
        config=config,
        values={},
        seeds=(0,),
        folder=tmp_path,
        objective="val_auc_unseen",
        sign=1.0,
    )
    (repeat,) = Trainer(Sets()).train(training).repeats
    summary = repeat.summary
    assert set(summary["unseen"]) == {"a", "b"}
    assert summary["val_auc_unseen"] == np.mean(list(summary["unseen"].values()))
    assert summary["val_auc"] > 0.98
    assert summary["val_auc_unseen"] < 0.8
    plain = dataclasses.replace(training, objective="val_auc")
    (other,) = Trainer(Sets()).train(plain).repeats
    for a, b in zip(repeat.weights, other.weights, strict=True):
        np.testing.assert_array_equal(a, b)  # the trial's own head is the same
    assert not np.allclose(repeat.logits, other.logits)
    assert "unseen" not in other.summary


def test_what_compares_epochs_is_refused():
    given = {"title": "t", "configure": print, "bases": ("mobilenetv2",)}
    for more in ({"oracle": "hyperband"}, {"oracle": "grid", "median_after": 2}):
        with pytest.raises(
            InputError, match=r"val_auc_unseen is known when a training"
        ):
            Study(**given, objective="val_auc_unseen", **more)


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(STUDY)
    return path


def test_a_study_is_ranked_by_it(study, tiny_manifest, tiny_weights, tmp_path, capsys):
    rows = tiny_manifest.rows.copy()
    fake = rows["label"] == "fake"
    odd = rows["path"].str.extract(r"(\d+)\.png")[0].astype(int) % 2 == 1
    rows.loc[fake & odd, "source"] = "diffusion"
    rows.loc[fake & (rows["split"] == "test"), "split"] = "val"
    rows.loc[rows.index[fake][-2:], "split"] = "test"
    path = tmp_path / "families.csv"
    manifests.write(dataclasses.replace(tiny_manifest, rows=rows), path)
    given = [str(study), "--manifest", str(path), "--weights", str(tiny_weights)]
    folder = tmp_path / "study"
    assert main([*given, "-o", str(folder)]) == 0
    table = pd.read_csv(folder / "leaderboard.csv")
    assert table["score"].is_monotonic_decreasing
    np.testing.assert_allclose(table["score"], table["val_auc_unseen"])
    trial = read_json(folder / "trial_0000" / "trial.json")
    assert set(trial["repeats"][0]["unseen"]) == {"gan", "diffusion"}
    result = read_json(folder / "result.json")
    assert result["optimism"] is None
    assert "which has seen them all" in capsys.readouterr().out
    assert (
        "AUC of families left out in the search" in (folder / "report.html").read_text()
    )


def test_one_family_is_a_sentence_before_any_trial(
    study, tiny_manifest, tiny_weights, tmp_path
):
    path = tmp_path / "manifest.csv"
    given = [str(study), "--manifest", str(path), "--weights", str(tiny_weights)]
    with pytest.raises(InputError, match="All fakes are of one family, 'gan'"):
        main([*given, "-o", str(tmp_path / "study")])
    assert not list((tmp_path / "study").glob("trial_*"))
