"""One line per finished trial: what it reached, the best so far, the time left."""

import logging
import math
import time
from typing import Any

from kerasfaces.tune.study import Study

logger = logging.getLogger(__name__)


def left_s(oracle: Any, new: int, gone_s: float) -> float | None:
    """Return how long the search will take at most; None where nobody knows.

    Args:
        oracle: The study's.
        new: Trials that ended in this call.
        gone_s: Since it began.
    """
    total: int | None = oracle.total()
    budget_s: float | None = oracle.budget_left_s()
    if not (total and new):
        return budget_s
    at_this_pace_s = gone_s / new * (total - len(oracle.ended()))
    return float(min(at_this_pace_s, math.inf if budget_s is None else budget_s))


def announcer(study: Study, oracle: Any) -> Any:
    """Return what an oracle calls with each trial that is over."""
    started = time.monotonic()
    before = len(oracle.ended())

    def announce(trial: Any) -> None:
        done, total = len(oracle.ended()), oracle.total()
        left = left_s(oracle, done - before, time.monotonic() - started)
        rest = "" if left is None else f", about {left:.0f} s left"
        if trial.score is None:
            told = f"failed: {trial.message.rstrip('.')}"
        else:
            best = oracle.completed()[0]
            told = (
                f"{study.objective} {trial.score:.4f}"
                f"{' (stopped)' if trial.stopped else ''}, best {best.score:.4f} "
                f"({best.trial_id})"
            )
        logger.info(
            "trial %s, %d of %s: %s%s", trial.trial_id, done, total or "?", told, rest
        )

    return announce
