"""One line per finished trial: what it reached, the best so far, the time left."""

import logging
import time
from typing import Any

from kerasfaces.tune.study import Study

logger = logging.getLogger(__name__)


def announcer(study: Study, oracle: Any) -> Any:
    """Return what an oracle calls with each trial that is over."""
    started = time.monotonic()
    before = len(oracle.ended())

    def announce(trial: Any) -> None:
        done, total = len(oracle.ended()), oracle.total()
        pace_s = (time.monotonic() - started) / max(1, done - before)
        left = f", about {pace_s * (total - done):.0f} s left" if total else ""
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
            "trial %s, %d of %s: %s%s", trial.trial_id, done, total or "?", told, left
        )

    return announce
