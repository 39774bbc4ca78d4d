"""Study folder -> report.html: at the end of a study, or whenever somebody asks."""

import logging
from pathlib import Path

from kerasfaces.core import registry
from kerasfaces.core.files import write_text
from kerasfaces.report import page as pages
from kerasfaces.report.markup import Section
from kerasfaces.tune.report_input import StudyInput, gather

logger = logging.getLogger(__name__)

_PACKAGE = "kerasfaces.tune.sections"
_FEW = 10  # trials, below which pictures say little


def write(folder: Path) -> Path:
    """Write `folder/report.html`.

    Args:
        folder: A study's, finished, running or killed.

    Returns:
        The page.

    Raises:
        RunError: It holds no study, or no finished trial, or a damaged one.
    """
    path = folder / "report.html"
    write_text(path, render(gather(folder)))
    return path


def render(data: StudyInput) -> str:
    """Return the page."""
    title = data.about.get("title") or data.identity["study"]
    footer = (
        "Trials were ranked on validation; the winner alone met the test images, once. What "
        "is not distinguishable from the best on this validation set may be as good or better."
    )
    return pages.page(
        f"{data.identity['study']}: {title}",
        "kerasfaces study report",
        _warnings(data),
        sections(data),
        footer,
    )


def sections(data: StudyInput) -> list[tuple[str, Section]]:
    """Return every section that has something to say, in the order of the page."""
    modules = [
        (name, registry.load(_PACKAGE, name)) for name in registry.names(_PACKAGE)
    ]
    ordered = sorted(modules, key=lambda item: (item[1].ORDER, item[0]))
    made = [(name, module.report(data)) for name, module in ordered]
    return [(name, section) for name, section in made if section is not None]


def _engines(data: StudyInput) -> list[str]:
    """Say where trials of one model had features by different engines."""
    engines: dict[str, set[str]] = {}
    for trial in data.completed:
        name = (trial.config or {}).get("model", {}).get("name", "")
        named = {each.get("engine", "") for each in trial.repeats} - {""}
        engines.setdefault(name, set()).update(named)
    said = [
        f"Trials of {name} were trained on features by {' and by '.join(sorted(by))} (the "
        "study was continued elsewhere): their scores can differ in the last digits."
        for name, by in sorted(engines.items())
        if len(by) > 1
    ]
    for sentence in said:
        logger.warning("%s", sentence)
    return said


def _warnings(data: StudyInput) -> list[str]:
    found = list(data.about.get("notes", []))
    if data.result is None:
        found.append(
            f"The search is not over: {len(data.completed)} trials have a score, "
            f"{data.n_running} are unfinished, and no winner of them all was trained. The "
            "same command continues it."
        )
    found += _engines(data)
    if data.failed:
        found.append(
            f"{len(data.failed)} of {len(data.failed) + len(data.completed)} trials failed; "
            "their reasons are below the leaderboard."
        )
    partial = sum(each.partial for each in data.completed)
    if partial:
        found.append(
            f"{partial} trials ended before their training did (Hyperband, the median rule): "
            "their scores are those of shorter trainings."
            + (
                f" {data.n_ahead} of them were better than the best whole one even so: trained "
                "to the end, they might win."
                if data.n_ahead
                else ""
            )
        )
    if data.completed and len(data.completed) < _FEW:
        found.append(
            f"With {len(data.completed)} trials, effects and intervals over trials say little."
        )
    return found
