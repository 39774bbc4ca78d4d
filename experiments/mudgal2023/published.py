"""Every number of the document, as printed there.

Its target is 1 for real, so precision, recall and F1 are those of real. Both lines of its
table then fix the share of reals and what is right in each class, and the column "AUROC"
is the mean of both: 1/2 (recall of real + share of fakes called fake), not an area under
the scores' curve. `implied` does the sum.
"""

import dataclasses

DATA = (
    "CelebA-HQ, Wiki; StyleGAN, the same through GANprintR, Stable Diffusion inpainting and "
    "text2img, InsightFace, 256 px: other images than ours"
)
ALL, ALONE = "deit", "deit_iFakeFaceDB"
GENERATOR = "ifakefacedb"  # what ALONE was trained on
METRICS = ("accuracy", "precision of real", "recall of real", "auc", "f1 of real")
LINES = {
    ALL: (0.83607, 0.82924, 0.87737, 0.83243, 0.85262),
    ALONE: (0.66425, 0.61683, 1.0, 0.63467, 0.76301),
}
IMAGES = 120_000  # 60,000 real and 60,000 fake, as it began
VALUES = {
    ("result", row, metric): value
    for row, line in LINES.items()
    for metric, value in zip(METRICS, line, strict=True)
} | {("data", "real and fake", "images"): float(IMAGES)}


@dataclasses.dataclass(frozen=True)
class Implied:
    """What a line of the table says without printing it.

    Attributes:
        share_of_real: Reals among its test images.
        fakes_called_fake: Share of fakes called fake.
        balanced_accuracy: Mean of both classes' recall.
    """

    share_of_real: float
    fakes_called_fake: float
    balanced_accuracy: float


def implied(accuracy: float, precision: float, recall: float) -> Implied:
    """Solve one line of the table, real being the positive class.

    Args:
        accuracy: As printed.
        precision: Of real.
        recall: Of real.
    """
    called = recall * (1 - precision) / precision  # fakes called real, per real
    share = (1 - accuracy) / (1 - recall + called)
    right = 1 - called * share / (1 - share)
    return Implied(share, right, (recall + right) / 2)
