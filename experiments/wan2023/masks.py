"""wan2023's table 4 with its lightest classifier: the face cut out, by any mask, or not."""

import dataclasses

from experiments.framework.runner import Context, Outcome
from experiments.wan2023 import cells, experiment, published
from experiments.wan2023.experiment import DOCUMENT_DATA, MODELS, SEEDS, WEIGHTS

__all__ = ["DOCUMENT_DATA", "MODELS", "SEEDS", "TITLES", "WEIGHTS", "run"]

TITLES = {name: experiment.TITLES[name] for name in ("table 4", "differences")}
_CLASSIFIER = published.NAMES[published.CLASSIFIERS[0]]


def run(context: Context) -> Outcome:
    """Train both detectors; return table 4's rows of the classifier and their difference."""
    outcome = experiment.run_cells(context, cells.with_and_without_mask)
    rows = [
        row
        for row in outcome.rows
        if _CLASSIFIER in row.row
        and (row.table == "table 4" or row.row.startswith("mask - none"))
    ]
    return dataclasses.replace(outcome, rows=rows)
