"""A detector trained in seconds on blobs, and a manifest with two generators."""

import shutil

import pytest


@pytest.fixture(scope="session")
def trained(tmp_path_factory, tiny_images, tiny_weights):
    from kerasfaces.cli.train import main

    root = tmp_path_factory.mktemp("launder")
    lines = ["path,label,source,split"]
    for label, source in (("real", "camera"), ("fake", "gan")):
        for number in range(36):
            split = "train" if number < 14 else "val" if number < 20 else "test"
            generator = "diffusion" if label == "fake" and number % 2 else source
            path = tiny_images / label / source / f"{number:02d}.png"
            lines.append(f"{path},{label},{generator},{split}")
    (root / "manifest.csv").write_text("\n".join(lines) + "\n")
    settings = ["model.size_px=32", "model.taps=block_1_expand_relu", "epochs=3"]
    words = [word for text in settings for word in ("--set", text)]
    words += ["--manifest", str(root / "manifest.csv"), "--weights", str(tiny_weights)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERASFACES_CACHE", str(root / "cache"))
        main([*words, "-o", str(root / "run")])
    return root / "run"


@pytest.fixture
def run(trained, tmp_path):
    """A copy that a test may change."""
    return shutil.copytree(trained, tmp_path / "run")
