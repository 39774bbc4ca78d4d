"""A run of drawn images to map."""

import pytest


@pytest.fixture(scope="session")
def mapped_run(tmp_path_factory, tiny_images, tiny_weights):
    from kerasfaces.cli.train import main

    root = tmp_path_factory.mktemp("embed")
    lines = ["path,label,source,split,attr_glasses"]
    for label, source in (("real", "camera"), ("fake", "gan")):
        for number in range(36):
            split = "train" if number < 20 else "val" if number < 26 else "test"
            path = tiny_images / label / source / f"{number:02d}.png"
            glasses = "yes" if number % 2 else "no"
            lines.append(f"{path},{label},{source},{split},{glasses}")
    (root / "manifest.csv").write_text("\n".join(lines) + "\n")
    settings = ["model.size_px=32", "epochs=3"]
    settings += ["model.taps=block_1_expand_relu,block_2_expand_relu"]
    words = [word for text in settings for word in ("--set", text)]
    words += ["--manifest", str(root / "manifest.csv"), "--weights", str(tiny_weights)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERASFACES_CACHE", str(root / "cache"))
        main([*words, "-o", str(root / "run")])
    return root / "run"
