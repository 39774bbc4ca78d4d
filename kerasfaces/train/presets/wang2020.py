"""Wang et al. 2020 (arXiv 1912.11035), the published "Blur+JPEG (0.5)" training.

Half of the images blurred (Gaussian, sigma 0..3 px), half compressed (JPEG, quality
30..100), half mirrored; Adam at 1e-4, batches of 64. The authors cut 224 of 256 px at
random, start from ImageNet weights and lower the rate ten times whenever validation
stands still; ours sees all 256 px, lets the rate fall as a cosine, and compresses by
Pillow alone where they draw Pillow or OpenCV. "Blur+JPEG (0.1)" is `augment__blur=0.1,
augment__jpeg=0.1`.
"""

from kerasfaces.dataset.views import AugmentConfig
from kerasfaces.models.config import HeadConfig, ModelConfig
from kerasfaces.train.config import TrainConfig

CONFIGS = {
    "wang2020": TrainConfig(
        model=ModelConfig(head=HeadConfig(standardize=False)),
        epochs=12,
        batch_size=64,
        learning_rate=1e-4,
        patience=12,
        augment=AugmentConfig(flip=True, blur=0.5, jpeg=0.5),
    )
}
