"""How often a rule errs: answers to the run's own test images, by that very rule.

A rule is everything that turns a picture into a verdict: network, operating point, what of
a picture is judged, and whether laundering may make it unsure. Rates of one rule say
nothing of another.
"""

import contextlib
import csv
import dataclasses
import logging
import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kerasfaces.core import config as configs
from kerasfaces.core import folders
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json
from kerasfaces.run.folder import DetectorRun
from kerasfaces.serve import face_policy, stability
from kerasfaces.serve.contract import Detecting

if TYPE_CHECKING:
    from kerasfaces.serve.answer import Options

logger = logging.getLogger(__name__)
SPLIT = "test"
VERSION_DIGITS = 12  # of the SHA-256 of a detector's network
_JUDGED = {
    "image": "the whole picture",
    "largest": "the largest face",
    "each": "each face",
}


def rule_of(detector: Detecting, options: "Options") -> Json:
    """Return what decides verdicts, in JSON types."""
    policy = face_policy.of_run(options.faces, detector)
    return {
        "network": detector.version,
        "point": configs.digest(detector.operating_point.to_json()),
        "faces": [policy, face_policy.VERSION] if policy != "image" else "image",
        "stability": stability.VERSION if options.stability else None,
    }


def in_words(options: "Options") -> str:
    """Return the rule of some options as a few words."""
    laundered = "six launderings" if options.stability else "no laundering"
    return f"{_JUDGED[options.faces]}, {laundered}"


def known(run: DetectorRun, detector: Detecting, options: "Options") -> Json:
    """Return the rates of a rule as measured before, or that they were not.

    Returns:
        `measured` (bool), `rule` and `sentence`; where measured also `split`, `n_real`,
        `n_fake`, and `false_alarms`, `misses`, `unsure_real`, `unsure_fake`: `count`,
        `value`, `low`, `high` of each.

    Raises:
        RunError: error_rates.json is damaged.
    """
    rule = rule_of(detector, options)
    policy = face_policy.of_run(options.faces, detector)
    options = dataclasses.replace(options, faces=policy)
    words, content = in_words(options), run.error_rates.get(configs.digest(rule))
    own = face_policy.of_files(detector)  # what the run's predictions are of
    if content is None and policy == own and not options.stability:
        content = _from_predictions(run, rule, detector, words)
    if isinstance(content, dict) and "sentence" in content:
        return {"measured": True, "rule": words, **content}
    return {
        "measured": False,
        "rule": words,
        "sentence": f"Not measured for this rule ({words}): `kerasfaces evaluate RUN "
        f"--error-rates{_spelled(options)}` measures it on the run's test images.",
    }


def remember(run: DetectorRun, rule: Json, rates: Json) -> None:
    """Keep in the run what was counted by a rule."""
    with folders.lock(run.path / "answers", "folder of answers", wait=True):
        entry = {configs.digest(rule): {"rule_parts": rule, **rates}}
        run.error_rates = run.error_rates | entry


def _from_predictions(
    run: DetectorRun, rule: Json, detector: Detecting, words: str
) -> Json | None:
    """Return the rates of the plain rule, which the run's test predictions tell; keep them.

    Read without pandas: whoever wants a quick verdict does not wait for it.
    """
    path = run.predictions_file(SPLIT)
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            rows = [(row["label"], row["logit"]) for row in csv.DictReader(file)]
        labels = [label for label, _ in rows]
        logits = [float(logit) if logit else math.nan for _, logit in rows]
        point = detector.operating_point
        counted = rates(point.verdicts(point.apply(logits)), labels, words)
    except (OSError, KeyError, ValueError):  # another's run, or none: not measured
        return None
    except ImportError:  # SciPy, which an environment for serving need not have
        return None
    with contextlib.suppress(OSError):
        remember(run, rule, counted)
    return counted


def rates(verdicts: Sequence[str], labels: Sequence[str], words: str) -> Json:
    """Return the rates of verdicts on images of known labels, see `known`; both classes needed."""
    from kerasfaces.metrics import clopper_pearson

    counts = Counter(zip(labels, verdicts, strict=True))
    n = {
        label: sum(counts[label, verdict] for verdict in ("real", "fake", "unsure"))
        for label in ("real", "fake")
    }
    if not (n["real"] and n["fake"]):
        raise InputError(
            f"{n['real']} real and {n['fake']} fake test images have a verdict; at least one "
            "of each is needed to measure error rates."
        )

    def share(label: str, verdict: str) -> Json:
        count = counts[label, verdict]
        low, high = clopper_pearson(count, n[label])
        return {"count": count, "value": count / n[label], "low": low, "high": high}

    shares = {
        "false_alarms": share("real", "fake"),
        "misses": share("fake", "real"),
        "unsure_real": share("real", "unsure"),
        "unsure_fake": share("fake", "unsure"),
    }
    sentence = (
        f"At this setting ({words}) {_percent(shares['false_alarms'])} of {n['real']:,} real "
        f"test images are flagged, {_percent(shares['misses'])} of {n['fake']:,} fakes pass "
        f"as real; unsure: {_percent(shares['unsure_real'])} of the real, "
        f"{_percent(shares['unsure_fake'])} of the fake."
    )
    return {
        "split": SPLIT,
        "n_real": n["real"],
        "n_fake": n["fake"],
        "n_unreadable": counts["real", ""] + counts["fake", ""],
        **shares,
        "sentence": sentence,
    }


def _percent(rate: Json) -> str:
    low, high = (100 * rate[name] for name in ("low", "high"))
    return f"{100 * rate['value']:.1f} % ({low:.1f} to {high:.1f} %)"


def _spelled(options: "Options") -> str:
    faces = f" --faces {options.faces}" if options.faces != "image" else ""
    return faces + ("" if options.stability else " --no-stability")
