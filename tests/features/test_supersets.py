"""Features of a narrower model are columns of those of the wider one, its residual's too."""

import dataclasses

import numpy as np
import pytest

from kerasfaces.core import rng
from kerasfaces.models import catalogue, network
from kerasfaces.models.config import ModelConfig, default_options

pytestmark = pytest.mark.tf
TAPS = ("block_3_expand_relu", "block_6_expand_relu")


@pytest.mark.parametrize("residual", ["none", "alone", "beside"])
@pytest.mark.parametrize("scales", [(1.0,), (1.0, 2.0)])
def test_features_are_columns_of_the_superset(residual, scales):
    from kerasfaces.features.supersets import slices

    options = dataclasses.replace(default_options("mobilenetv2"), residual=residual)
    wide = ModelConfig(
        size_px=64, taps=TAPS, pooling="mean_std", scales=scales, options=options
    )
    narrow = dataclasses.replace(wide, taps=TAPS[1:])
    ((superset, columns),) = slices(narrow, [wide, narrow])
    assert superset.taps == TAPS
    image = rng.generator(0, "superset").integers(0, 256, (2, 64, 64, 3))
    wholes = [
        catalogue.load("mobilenetv2").build(model, None, 0)
        for model in (superset, narrow)
    ]
    first, second = (network.base_of(whole) for whole in wholes)
    second.set_weights(first.get_weights()[: len(second.get_weights())])
    features = [
        np.asarray(network.extractor_of(whole)(image.astype(np.float32)))
        for whole in wholes
    ]
    np.testing.assert_allclose(features[0][:, columns], features[1], atol=1e-4)
