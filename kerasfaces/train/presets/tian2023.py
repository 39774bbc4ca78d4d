"""tian2023's four systems: two baselines, the aggregated CNNs and ResNet50 + conv stack.

The document states the layers and nothing of the training. Ours: 128 px (the
convolutional stack: 256 px, the size of the data), Adam, batches of 32 or 64, the best
epoch on validation, mirrored images; the widths are in the models' files and here.
"""

from kerasfaces.models.config import HeadConfig, ModelConfig
from kerasfaces.train.config import TrainConfig

CONFIGS = {
    "logistic_regression": TrainConfig(
        model=ModelConfig(
            size_px=128, pooling="flatten", head=HeadConfig(l2=1e-4, standardize=False)
        ),
        epochs=50,
        learning_rate=1e-4,
        patience=10,
    ),
    "two_layer_cnn": TrainConfig(
        model=ModelConfig(
            size_px=128,
            pooling="flatten",
            head=HeadConfig(units=(128,), dropout=0.5, standardize=False),
        ),
        epochs=30,
        batch_size=32,
        learning_rate=3e-4,
        patience=10,
    ),
    "aggregated_cnns": TrainConfig(
        model=ModelConfig(
            pooling="vote", head=HeadConfig(standardize=False, output="average")
        ),
        epochs=60,
        batch_size=32,
        patience=60,
    ),
    "resnet50_convstack": TrainConfig(
        model=ModelConfig(
            pooling="flatten",
            head=HeadConfig(
                units=(256, 128, 64), dropout=0.3, standardize=False, batch_norm=True
            ),
        ),
        epochs=20,
        batch_size=32,
        learning_rate=1e-4,
        patience=20,
    ),
}
