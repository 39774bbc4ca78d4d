"""kabber2023's two detectors, as far as the document states them.

MobileNetV2: 180 px, last layer, three dense ReLU layers with dropout and L2, dropout
.05, learning rate 5e-4, 10 epochs. ResNet50: 180 px, last layer, Dense 512 ReLU,
learning rate .01, 10 epochs, batch 300. Not stated, and therefore ours: the widths
256/128/64, L2 1e-4, batch 32, and what the augmentation layer does (mirror, rotation up
to 15 degrees).
"""

from kerasfaces.dataset.views import AugmentConfig
from kerasfaces.models.config import HeadConfig, ModelConfig
from kerasfaces.train.config import TrainConfig

CONFIGS = {
    "mobilenetv2": TrainConfig(
        model=ModelConfig(
            size_px=180,
            head=HeadConfig(
                units=(256, 128, 64), dropout=0.05, l2=1e-4, standardize=False
            ),
        ),
        epochs=10,
        batch_size=32,
        learning_rate=5e-4,
        schedule="constant",
        patience=None,
        class_weights=False,
        views=4,
        augment=AugmentConfig(flip=True, rotation_deg=15.0),
    ),
    "resnet50": TrainConfig(
        model=ModelConfig(
            size_px=180, head=HeadConfig(units=(512,), standardize=False)
        ),
        epochs=10,
        batch_size=300,
        learning_rate=0.01,
        schedule="constant",
        patience=None,
        class_weights=False,
    ),
}
