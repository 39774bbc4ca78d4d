"""wan2023's detector: Att(AS+PS)+LNP into MobileNetV2, 5 channels of a store.

The document states the channels, the fusion and the classifiers (also
`model__options__classifier="resnet34"` or `"resnet50"`); neither optimizer, batch nor epochs.
Those are ours: Adam at 1e-3 falling as a cosine, batches of 32, 12 epochs, the best on
validation. No augmentation: a mirrored image's phase is not the mirrored phase.
"""

from kerasfaces.dataset.views import AugmentConfig
from kerasfaces.models.config import HeadConfig, ModelConfig
from kerasfaces.train.config import TrainConfig

MAKE_STORE = "data.compute_channels(STORE)"
CONFIGS = {
    "lnp_attention": TrainConfig(
        model=ModelConfig(
            name="lnp_attention",
            inputs=("lnp+spectra",),
            head=HeadConfig(standardize=False),
        ),
        epochs=12,
        batch_size=32,
        patience=12,
        augment=AugmentConfig(flip=False),
    )
}
