"""Every number of the document's tables 2 and 5-9, as printed there.

Where the text says otherwise than table 5 (precision .74 against .72, accuracy .80
against .78, the mean of its own recalls), both stand here.
"""

import dataclasses

DATA = "FFHQ + DALL-E 2 variations of it, 180 px: other images than ours"
MODELS = {
    "table 5": "mobilenetv2",
    "text": "mobilenetv2",
    "table 6": "mobilenetv2",
    "table 7": "resnet50",
    "table 8": "resnet50",
    "table 9": "resnet50",
}
TITLES = {
    "table 5": "MobileNetV2 on the test split",
    "text": "MobileNetV2, as the text gives it",
    "table 6": "MobileNetV2 by facial category, up to 200 test images of each",
    "table 7": "ResNet50 on the test split",
    "table 8": "ResNet50, confusion matrix in images",
    "table 9": "ResNet50 by facial category, up to 200 test images of each",
}


@dataclasses.dataclass(frozen=True)
class Cell:
    """One printed number."""

    table: str
    row: str
    metric: str
    value: float


@dataclasses.dataclass(frozen=True)
class Group:
    """One line of tables 6 and 9.

    Attributes:
        row: Name of the line.
        column: Column of our manifest.
        values: Values of that column that belong to the line.
        mobilenetv2: Accuracy in table 6.
        resnet50: Accuracy in table 9.
        ratio: Share in table 2.
    """

    row: str
    column: str
    values: tuple[str, ...]
    mobilenetv2: float
    resnet50: float
    ratio: float


_REPORT = {
    "real": {"precision": 0.88, "recall": 0.65, "f1": 0.75, "support": 2145},
    "fake": {"precision": 0.72, "recall": 0.91, "f1": 0.80, "support": 2143},
    "overall": {"precision": 0.80, "recall": 0.78, "f1": 0.78, "support": 4288},
}
_TEXT = {"accuracy": 0.80, "auc": 0.88, "precision": 0.74, "recall": 0.91}
_TABLE_7 = {"accuracy": 0.89, "auc": 0.96, "precision": 0.86, "recall": 0.94}
_TABLE_8 = {
    "real": {"called real": 1785, "called fake": 320},
    "fake": {"called real": 126, "called fake": 1979},
}
CELLS = (
    *(
        Cell("table 5", row, metric, value)
        for row, line in _REPORT.items()
        for metric, value in line.items()
    ),
    *(Cell("text", "all", metric, value) for metric, value in _TEXT.items()),
    *(Cell("table 7", "all", metric, value) for metric, value in _TABLE_7.items()),
    *(
        Cell("table 8", row, metric, value)
        for row, line in _TABLE_8.items()
        for metric, value in line.items()
    ),
)
ANNOTATORS = {  # accuracy, as the text gives it; gender also as .96
    "attr_expression": 0.70,
    "attr_glasses": 0.91,
    "attr_gender": 0.91,
    "attr_race": 0.86,
}
_HISPANIC = ("latino_hispanic", "hispanic", "latino")
GROUPS = (
    Group("race: asian", "attr_race", ("asian",), 0.76, 0.835, 0.30),
    Group("race: black", "attr_race", ("black",), 0.82, 0.90, 0.11),
    Group("race: white", "attr_race", ("white",), 0.80, 0.82, 0.31),
    Group("race: hispanic", "attr_race", _HISPANIC, 0.85, 0.85, 0.30),
    Group("gender: man", "attr_gender", ("man",), 0.83, 0.85, 0.59),
    Group("gender: woman", "attr_gender", ("woman",), 0.87, 0.84, 0.41),
    Group("glasses: glasses", "attr_glasses", ("glasses",), 0.74, 0.80, 0.67),
    Group("glasses: no glasses", "attr_glasses", ("no_glasses",), 0.78, 0.84, 0.33),
    Group("expression: positive", "attr_expression", ("positive",), 0.76, 0.82, 0.52),
    Group("expression: neutral", "attr_expression", ("neutral",), 0.78, 0.86, 0.23),
    Group("expression: negative", "attr_expression", ("negative",), 0.75, 0.825, 0.25),
)
