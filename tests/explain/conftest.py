"""One trained run for all tests of the package."""

import numpy as np
import pytest
import tiny_detector


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory):
    """A run folder with manifest and images."""
    import keras

    from kerasfaces.models.zoo import modified_cnn

    root = tmp_path_factory.mktemp("explain")
    model = modified_cnn.ARCHITECTURE.build(tiny_detector.MODEL, seed=1)
    images = [
        tiny_detector.picture(fake, n) for fake in (False, True) for n in range(32)
    ]
    labels = np.repeat([0.0, 1.0], 32)[:, None]
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), loss)
    pixels = np.stack(images).astype(np.float32)
    for _ in range(80):
        model.train_on_batch(pixels, labels)
    folder = tiny_detector.write_run(root / "run", model)
    tiny_detector.write_images(folder)
    return folder
