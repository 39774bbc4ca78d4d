"""Frank et al. 2020 (arXiv 2003.08685), DCT-CNN, as the authors' `classifer.py` trains it.

Adam at 1e-3, batches of 32, at most 50 epochs, the best on validation once 5 epochs have
not been better; no augmentation, for a mirrored image has other coefficients.
"""

from kerasfaces.dataset.views import AugmentConfig
from kerasfaces.models.config import HeadConfig, ModelConfig
from kerasfaces.train.config import TrainConfig

CONFIGS = {
    "dct_cnn": TrainConfig(
        model=ModelConfig(pooling="flatten", head=HeadConfig(standardize=False)),
        epochs=50,
        batch_size=32,
        learning_rate=1e-3,
        schedule="constant",
        patience=5,
        augment=AugmentConfig(flip=False),
    )
}
