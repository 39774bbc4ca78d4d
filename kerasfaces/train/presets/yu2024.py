"""yu2024's networks: ResNet-18, the modified CNN, DeiT with a bottleneck.

Stated: ResNet-18 15 epochs, batches of 32, learning rate 1e-4. DeiT: top removed,
"bottleneck" layer, binary layer, 224 px, batches of 32, 1e-3, early stopping, at most 50
epochs. Modified CNN: dropout, augmentation by rotation, scaling and flipping, early
stopping. Not stated, and therefore ours: Adam, the bottleneck's 256 units, that DeiT's
own layers stay frozen (1e-3 would undo them; `train_base=True` trains them), all
dropouts, the modified CNN's 128 px, rate and batch, and the patience of 5 epochs.
"""

from kerasfaces.dataset.views import AugmentConfig
from kerasfaces.models.config import HeadConfig, ModelConfig
from kerasfaces.train.config import TrainConfig

_DEIT = {"deit_base_224": 224, "deit_base_384": 384, "deit_tiny_224": 224}
CONFIGS = {
    "resnet18": TrainConfig(
        model=ModelConfig(size_px=224, head=HeadConfig(standardize=False)),
        epochs=15,
        batch_size=32,
        learning_rate=1e-4,
        schedule="constant",
        patience=15,
        class_weights=False,
        augment=AugmentConfig(flip=False),
    ),
    "modified_cnn": TrainConfig(
        model=ModelConfig(
            size_px=128,
            pooling="flatten",
            head=HeadConfig(
                units=(256, 128, 64), dropout=0.3, standardize=False, output="softmax"
            ),
        ),
        epochs=50,
        batch_size=32,
        learning_rate=3e-4,
        schedule="constant",
        patience=5,
        class_weights=False,
        augment=AugmentConfig(flip=True, rotation_deg=15.0, zoom=0.1),
    ),
    **{
        name: TrainConfig(
            model=ModelConfig(
                size_px=size_px,
                pooling="token",
                head=HeadConfig(units=(256,), dropout=0.1, standardize=False),
            ),
            epochs=50,
            batch_size=32,
            learning_rate=1e-3,
            schedule="constant",
            patience=5,
            class_weights=False,
        )
        for name, size_px in _DEIT.items()
    },
}
