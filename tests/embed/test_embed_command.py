"""A run -> a map: files, numbers, layers, what cannot be mapped."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import kerasfaces as kf
from kerasfaces.cli.embed import main
from kerasfaces.core.errors import InputError, MissingExtraError, RunError
from kerasfaces.embed import run as embedding
from kerasfaces.embed.run import Settings, embed
from kerasfaces.run.folder import EmbeddingMap, Run

pytestmark = pytest.mark.tf
PCA = Settings(method="pca", split="")


def test_a_map_has_page_pictures_points_and_numbers(
    mapped_run, tmp_path, capsys, monkeypatch
):
    out = tmp_path / "map"
    words = [str(mapped_run), "-o", str(out), "--method", "tsne", "--split", "all"]
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert "72 images in the layer final of run, by tsne" in printed
    assert f"map: {out / 'map.html'}" in printed
    assert {each.name for each in out.iterdir() if each.name[0] != "."} == {
        *(
            "map_request.json",
            "format.json",
            "environment.json",
            "points.npz",
            "map.html",
        ),
        *("points.csv", "map.png", "clusters.png", "grid.png", "map.json"),
    }
    table = pd.read_csv(out / "points.csv")
    assert list(table["label"].value_counts()) == [36, 36]
    assert np.isfinite(table[["x", "y"]]).all(axis=None)
    for name in ("map.png", "clusters.png", "grid.png"):
        with Image.open(out / name) as picture:
            assert min(picture.size) > 400
    assert (
        str(mapped_run.parent) not in (out / "map.html").read_text().split("<script")[0]
    )
    before = (out / "map.html").stat().st_mtime_ns
    monkeypatch.setattr(embedding, "import_keras", None)  # from here nobody asks for it
    assert main(words) == 0  # finished: read again
    assert (out / "map.html").stat().st_mtime_ns == before
    with pytest.raises(RunError, match="holds another map"):
        embed(mapped_run, out, PCA)
    assert isinstance(Run.kind(out), EmbeddingMap)


def test_a_killed_map_goes_on_with_its_projection(mapped_run, tmp_path, monkeypatch):
    from kerasfaces.embed.methods import pca

    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(embedding.quality, "measure", killed)
        with pytest.raises(KeyboardInterrupt):
            embed(mapped_run, tmp_path / "map", PCA)
    assert not EmbeddingMap(tmp_path / "map").is_finished
    monkeypatch.setattr(pca, "project", killed)
    assert embed(mapped_run, tmp_path / "map", PCA).is_finished


@pytest.mark.slow
def test_umap_is_the_same_for_the_same_seed(mapped_run, tmp_path):
    pytest.importorskip("umap")
    settings = Settings(method="umap", split="")
    tables = [
        pd.read_csv(embed(mapped_run, tmp_path / name, settings).table_file)
        for name in ("a", "b")
    ]
    pd.testing.assert_frame_equal(*tables)


def test_without_umap_the_extra_is_named(mapped_run, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "umap", None)
    with pytest.raises(MissingExtraError, match=r"kerasfaces\[maps\]"):
        embed(mapped_run, tmp_path / "map", Settings(split=""))


def test_layers_are_the_head_s_the_base_s_or_one_tap_s(mapped_run):
    from kerasfaces.core.imports import import_keras

    import_keras()
    from kerasfaces.embed import vectors
    from kerasfaces.run.folder import DetectorRun

    run = DetectorRun(mapped_run)
    files = run.manifest.files()[:4]
    every, _ = vectors.of_files(run, files, "features")
    final, _ = vectors.of_files(run, files, "final")
    taps = [
        vectors.of_files(run, files, name)[0]
        for name in ("block_1_expand_relu", "block_2_expand_relu")
    ]
    assert final.shape == every.shape
    assert not np.allclose(final, every)  # standardised
    columns = sorted(map(tuple, np.concatenate(taps, axis=1).T))
    assert columns == sorted(map(tuple, every.T))
    with pytest.raises(
        InputError, match="no layer 'block_9'; it has: final, features, b"
    ):
        vectors.of_files(run, files, "block_9")


def test_the_library_gives_the_points_and_leaves_out_what_cannot_be_read(
    mapped_run, tmp_path, tiny_images
):
    lines = ["path,label,source"]
    for label, source in (("real", "camera"), ("fake", "gan")):
        for number in range(8):
            lines.append(
                f"{tiny_images / label / source / f'{number:02d}.png'},{label},{source}"
            )
    (tmp_path / "bad.png").write_bytes(b"no picture")
    lines.append(f"{tmp_path / 'bad.png'},real,camera")
    (tmp_path / "m.csv").write_text("\n".join(lines) + "\n")
    table = kf.load_run(mapped_run).embed(
        kf.Manifest.from_csv(tmp_path / "m.csv"), output=tmp_path / "map", method="pca"
    )
    assert len(table) == 17
    assert table["reason"].iloc[-1] != ""
    assert np.isnan(table["x"].iloc[-1])
    assert table.attrs["n"] == 16
    assert table.attrs["n_left_out"] == 1
    assert 0 <= table.attrs["trustworthiness"] <= 1


def test_fifty_per_source_is_t_sne_s_default(mapped_run, tmp_path):
    settings = Settings(method="pca", split="", per_source=5)
    table = pd.read_csv(embed(mapped_run, tmp_path / "map", settings).table_file)
    assert list(table["source"].value_counts()) == [5, 5]
    from kerasfaces.embed.methods import tsne

    assert tsne.PER_SOURCE == 50


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"per_source": 1}, "needs at least 10 readable images, and there are 2"),
        ({"layer": "block_9"}, "has no layer 'block_9'"),
        ({"split": "training"}, "no rows in split 'training'"),
    ],
)
def test_what_cannot_be_mapped_is_one_sentence(mapped_run, tmp_path, changes, words):
    with pytest.raises(InputError, match=words):
        embed(
            mapped_run,
            tmp_path / "map",
            Settings(**{"method": "pca", "split": ""} | changes),
        )
    embed(mapped_run, tmp_path / "map", PCA)  # the folder can be used


def test_identical_images_are_one_sentence(mapped_run, tmp_path, tiny_images):
    data = (tiny_images / "real" / "camera" / "00.png").read_bytes()
    lines = ["path,label,source"]
    for number in range(12):
        (tmp_path / f"{number}.png").write_bytes(data)
        lines.append(f"{number}.png,real,camera")
    (tmp_path / "m.csv").write_text("\n".join(lines) + "\n")
    from kerasfaces import manifest as manifests

    manifest = manifests.read(tmp_path / "m.csv")
    with pytest.raises(InputError, match="12 images have 1 different vectors"):
        embed(mapped_run, tmp_path / "map", PCA, manifest)


def test_layers_that_are_no_numbers_are_rows_with_a_reason(
    mapped_run, tmp_path, monkeypatch
):
    from kerasfaces.core.imports import import_keras

    import_keras()
    from kerasfaces.run.predictor import Predictor

    true = Predictor.embeddings

    def broken(self, *words, **options):
        values, reasons, keys = true(self, *words, **options)
        values[:3] = np.nan
        return values, reasons, keys

    monkeypatch.setattr(Predictor, "embeddings", broken)
    map_ = embed(mapped_run, tmp_path / "map", PCA)
    assert map_.result["n_left_out"] == 3
    table = pd.read_csv(map_.table_file, keep_default_na=False)
    assert set(table["reason"][:3]) == {"the network gives no finite numbers for it"}


@pytest.mark.parametrize("name", ["method", "border"])
def test_unknown_names_are_refused(name):
    with pytest.raises(InputError, match=f"no {name}"):
        Settings(**{name: "nonsense"})
    with pytest.raises(InputError, match="`pictures`: expected at least 0"):
        Settings(pictures=-1)


def test_names_of_files_are_data_and_never_markup(mapped_run, tmp_path, tiny_images):
    folder = tmp_path / "x"
    folder.mkdir()
    lines = ["path,label,source"]
    for number in range(12):
        name = f"<script>alert({number})</script>.png".replace("/", "_")
        data = (tiny_images / "real" / "camera" / f"{number:02d}.png").read_bytes()
        (folder / name).write_bytes(data)
        lines.append(f'"{name}",real,"</script><b>"')
    (folder / "m.csv").write_text("\n".join(lines) + "\n")
    from kerasfaces import manifest as manifests

    map_ = embed(mapped_run, tmp_path / "map", PCA, manifests.read(folder / "m.csv"))
    text = map_.report.read_text()
    assert "<script>alert" not in text
    assert "</script><b>" not in text
    found = re.search(r'id="data">(.*?)</script>', text, re.S)[1]
    assert json.loads(found)["columns"]["source"]["classes"] == ["</script><b>"]
