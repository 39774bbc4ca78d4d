"""A detector trained in seconds on blobs, and a manifest with two generators."""

import shutil

import pytest
from tiny_runs import TINY, train_tiny, write_manifest


@pytest.fixture(scope="session")
def trained(tmp_path_factory, tiny_images, tiny_weights):
    root = tmp_path_factory.mktemp("launder")
    manifest = write_manifest(root, tiny_images, 14, 6, ("gan", "diffusion"))
    return train_tiny(manifest, tiny_weights, *TINY)


@pytest.fixture
def run(trained, tmp_path):
    """A copy that a test may change."""
    return shutil.copytree(trained, tmp_path / "run")
