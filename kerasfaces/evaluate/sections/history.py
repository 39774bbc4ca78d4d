"""How training went, epoch by epoch."""

import numpy as np
import pandas as pd
from markupsafe import Markup

from kerasfaces.evaluate.report import ReportInput
from kerasfaces.report import chart, markup
from kerasfaces.report.chart import legend
from kerasfaces.report.markup import Section

ORDER = 80


def report(data: ReportInput) -> Section:
    """Return one chart per quantity, training and validation together."""
    title = "Training"
    if data.history is None or data.history.empty:
        return Section(title, markup.paragraph("There is no training history."))
    numbers = data.history.select_dtypes("number")
    charts = [
        _chart(numbers, str(name)) for name in numbers if f"val_{name}" in numbers
    ]
    keys = legend([("real", "training"), ("fake", "validation")])
    last = [[name, f"{numbers[name].iloc[-1]:.5g}"] for name in numbers]
    table = markup.table("Last epoch", ["Column", "Value"], last)
    return Section(
        title,
        markup.paragraph(f"{len(numbers):,} epochs. ", keys if charts else "")
        + markup.row(*charts)
        + markup.details("Last epoch", table),
    )


def _chart(numbers: pd.DataFrame, name: str) -> Markup:
    both = [numbers[name].to_numpy(float), numbers[f"val_{name}"].to_numpy(float)]
    known = np.concatenate([values[np.isfinite(values)] for values in both])
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    margin = 0.05 * (high - low) or 0.05
    epochs = np.arange(1, len(numbers) + 1)
    axes = chart.axes(
        (1, max(2, len(numbers))),
        (low - margin, high + margin),
        x_label="epoch",
        y_label=name.replace("_", " "),
        whole_x=True,
    )
    for values, kind in zip(both, ("real", "fake"), strict=True):
        chart.line(axes, epochs, values, kind)
        if len(numbers) == 1 and np.isfinite(values[0]):
            chart.point(axes, 1, float(values[0]), kind)
    image = chart.svg(axes, f"{name} by epoch, training and validation")
    return markup.figure(image, name.replace("_", " ").capitalize())
