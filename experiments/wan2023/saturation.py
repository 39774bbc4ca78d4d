"""How much a trained attention attends: the share of its rows that are one-hot.

On whole images DANet's unscaled energies differ by thousands; a softmax of them gives
one channel everything, mostly the channel itself. The attention is then a learned gain.
"""

from pathlib import Path

import numpy as np

from kerasfaces.models.attention import ChannelAttention
from kerasfaces.run.folder import DetectorRun
from kerasfaces.run.inputs import inputs_of

IMAGES = 64
ONE_HOT = 0.999


def share(folder: Path, store: Path) -> float | None:
    """Return the share of attention rows with a weight above `ONE_HOT`, 0..1.

    Over the first `IMAGES` test images of a finished run; None without an attention.
    """
    import keras

    run = DetectorRun(folder)
    model = run.network.load()
    attention = next(
        (each for each in model.layers if isinstance(each, ChannelAttention)), None
    )
    if attention is None:
        return None
    manifest = run.manifest
    is_test = (manifest.rows["split"] == "test").to_numpy()
    files = [file for file, on in zip(manifest.files(), is_test, strict=True) if on]
    joined = inputs_of(run.network, files[:IMAGES], store)
    keys = [
        key for key, why in zip(joined.keys, joined.reasons, strict=True) if not why
    ]
    read = joined.store.reader(keys)
    before = keras.Model(model.inputs[0], attention.input)
    greatest = []
    for position in range(len(keys)):
        image = read(np.array([position])).astype(np.float32)
        shares = attention.shares(before(image, training=False))
        greatest.append(keras.ops.convert_to_numpy(shares).max(axis=-1))
    return float(np.mean(np.concatenate(greatest) > ONE_HOT))
