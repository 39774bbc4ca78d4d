"""What all experiments found -> one page: the systems first, then every table."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from experiments.framework import blocks
from experiments.framework.clock import total_s
from kerasfaces.report import markup
from kerasfaces.report import page as pages
from kerasfaces.report.markup import Section, tag

SYSTEMS = "systems"


@dataclasses.dataclass(frozen=True)
class Done:
    """How an experiment ended.

    Attributes:
        name: Its name.
        titles: Table -> heading.
        results: Content of its results.json; None where it came to no end.
        printed: What the terminal shows.
        waiting: Why it is not finished, where nothing is wrong; empty else.
        broken: What failed: line -> why.
    """

    name: str
    titles: Mapping[str, str]
    results: Mapping[str, Any] | None
    printed: str
    waiting: str = ""
    broken: Mapping[str, str] = dataclasses.field(default_factory=dict)


def render(folder: Path, outcomes: Sequence[Done]) -> str:
    """Return the page.

    Args:
        folder: Of all experiments; links are relative to it.
        outcomes: In the order they ran.
    """
    from experiments.systems import page

    parts: list[tuple[str, Section]] = []
    ended = [each for each in outcomes if each.results is not None]
    for each in ended:
        if each.name == SYSTEMS and each.results is not None:
            parts += page.sections(each.results)
    parts.append(("experiments", _overview(folder, outcomes)))
    parts += [(each.name, _experiment(folder, each)) for each in ended]
    return pages.page(
        "All experiments",
        "kerasfaces experiments",
        _warnings(outcomes),
        parts,
        "Every number has its own table, data and n; an experiment's splits, seeds and "
        "notes stand under its name. Thresholds, epochs and trials were chosen on validation. "
        "A document's numbers are of its own images.",
    )


def _warnings(outcomes: Sequence[Done]) -> list[str]:
    found = [
        f"{each.name}, {line}: {why}"
        for each in outcomes
        for line, why in each.broken.items()
    ]
    found += [f"{each.name}: {each.waiting}" for each in outcomes if each.waiting]
    quick = [
        note
        for each in outcomes
        if each.results is not None
        for note in each.results["notes"]
        if note.startswith("--quick")
    ]
    return [*dict.fromkeys(quick), *found]


def _overview(folder: Path, outcomes: Sequence[Done]) -> Section:
    rows = []
    for each in outcomes:
        if each.results is None:
            state = each.waiting or "; ".join(each.broken.values())
            rows.append([each.name, state, markup.MISSING, markup.MISSING])
            continue
        status = [row["status"] for row in each.results["rows"]]
        left = {s: status.count(s) for s in dict.fromkeys(status) if s != "run"}
        state = f"{status.count('run')} rows" + "".join(
            f", {count} {s}" for s, count in left.items()
        )
        link = tag("a", each.name, href=f"#{each.name}")
        rows.append(
            [link, state, f"{each.results['hours']:.2f}", each.results["commit"][:7]]
        )
    header = ["Experiment", "Came to", "Hours", "Commit"]
    lead = _machine(folder, outcomes)
    table = markup.table("All of them", header, rows, numeric=False)
    return Section("Experiments", markup.paragraph(lead) + table)


def _machine(folder: Path, outcomes: Sequence[Done]) -> str:
    hours = f"{total_s(folder) / 3600:.2f} hours in all"
    known = [each.results for each in outcomes if each.results is not None]
    if not known:
        return f"{hours}."
    machine = known[0].get("machine", {})
    budget = machine.get("budget_hours")
    limit = "" if budget is None else f", of {budget:g} that were given"
    return f"{known[0]['rows'][0]['data']}. {machine.get('text', '')}; {hours}{limit}."


def _experiment(folder: Path, done: Done) -> Section:
    """Return an experiment's tables, what was noted, and links to its runs."""
    results = done.results or {}
    linked = blocks.reports(folder / done.name, folder)
    made = blocks.circumstances(results)
    body = [
        *blocks.tables(results, done.titles),
        markup.details(made.title, made.html),
        markup.details(linked.title, linked.html),
    ]
    return Section(done.name, Markup("").join(body))
