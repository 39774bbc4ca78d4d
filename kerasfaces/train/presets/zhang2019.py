"""Zhang et al. 2019 (arXiv 1907.06515), AutoGAN-Spec's classifier.

The authors' `GAN_Detection_Train.py`: 10 epochs, batches of 64, no augmentation. Theirs is
SGD at .01 with momentum .9 and ImageNet weights; ours Adam at 1e-3 from random ones, the
best epoch on validation.
"""

from kerasfaces.dataset.views import AugmentConfig
from kerasfaces.models.config import HeadConfig, ModelConfig
from kerasfaces.train.config import TrainConfig

CONFIGS = {
    "autogan_spec": TrainConfig(
        model=ModelConfig(head=HeadConfig(standardize=False)),
        epochs=10,
        batch_size=64,
        learning_rate=1e-3,
        patience=10,
        augment=AugmentConfig(flip=False),
    )
}
