"""Every number of the document, as printed there.

Its "foreign" line fits 500 images of the positive class and 800 of the other: with recall
.99 and precision .83 of fakes among 500 reals and 800 fakes the accuracy would be .87,
not .92. So its positive class is real there, although the slide reads as if it were fake;
`implied_accuracy` does the sum.
"""

DATA = (
    "500 CelebA + 352 LFW photos; DreamBooth, LoRA, StyleGAN, StyleGAN2: other images than "
    "ours"
)
HOG, RESNET = "HoG + SVM", "ResNet-18"
SELF, FOREIGN = "self", "foreign"
DEIT = "DeiT"
TYPES = ("DreamBooth", "LoRA")
LINE = ("accuracy", "precision", "recall", "f1")
REALS, SUPPORT = 500, 800  # of the foreign test
_TYPE = ("precision", "recall", "f1", "support")
_LINES = {
    ("data", "real"): (("images",), (500 + 352,)),
    ("baselines", HOG): (LINE, (0.88, 0.93, 0.90, 0.91)),
    ("baselines", RESNET): (LINE, (0.99, 1.00, 0.98, 0.99)),
    ("types", TYPES[0]): (_TYPE, (0.87, 0.89, 0.88, SUPPORT)),
    ("types", TYPES[1]): (_TYPE, (0.89, 0.87, 0.88, SUPPORT)),
    ("across", f"{DEIT}, {FOREIGN}"): (LINE, (0.92, 0.83, 0.99, 0.90)),
    ("across", f"{DEIT}, {SELF}"): (LINE, (0.97, 0.99, 0.96, 0.97)),
}
# (table here, line, column) -> number.
VALUES = {
    (table, row, metric): value
    for (table, row), (metrics, values) in _LINES.items()
    for metric, value in zip(metrics, values, strict=True)
}


def implied_accuracy(precision: float, recall: float, n: int, n_other: int) -> float:
    """Return the accuracy that goes with precision and recall of a class.

    Args:
        precision: Of the class.
        recall: Of the class.
        n: Its images.
        n_other: The other class's.
    """
    hits = recall * n
    alarms = hits * (1 - precision) / precision
    return (hits + n_other - alarms) / (n + n_other)
