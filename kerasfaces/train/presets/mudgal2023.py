"""mudgal2023's recipe: one logit, SGD with momentum, the rate halved on a plateau.

`BCEWithLogitsLoss`, `torch.optim.SGD(lr, momentum)` on all parameters,
`ReduceLROnPlateau(mode="min", factor=0.5)`, from ImageNet weights, images of 256 px
resized to what the transformer takes. Its constants LR, MOMENTUM and LR_PATIENCE are not
stated; ours are 1e-3, .9 and 2, batches of 32, at most 30 epochs, the best on validation.
"""

from kerasfaces.dataset.views import AugmentConfig
from kerasfaces.models.config import HeadConfig, ModelConfig
from kerasfaces.train.config import TrainConfig

_SIZES = {
    "deit_base_384": 384,
    "deit_base_224": 224,
    "deit_tiny_224": 224,
    "vit_base": 224,
    "densenet121": 256,
}
CONFIGS = {
    name: TrainConfig(
        model=ModelConfig(
            size_px=size_px,
            pooling="mean" if name == "densenet121" else "token",
            head=HeadConfig(standardize=False),
        ),
        epochs=30,
        batch_size=32,
        learning_rate=1e-3,
        optimizer="sgd",
        momentum=0.9,
        schedule="plateau",
        plateau_factor=0.5,
        plateau_patience=2,
        patience=10,
        class_weights=False,
        augment=AugmentConfig(flip=False),
        train_base=True,
    )
    for name, size_px in _SIZES.items()
}
