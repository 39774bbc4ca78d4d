"""The winner: what it reached on test, by how much the search had flattered it, how to get it."""

from markupsafe import Markup

from kerasfaces.report import markup
from kerasfaces.report.markup import Section, tag
from kerasfaces.tune.report_input import StudyInput, mean_sd

ORDER = 10
_TITLE = "Result"
_NAMES = {"auc": "AUC", "accuracy": "Accuracy", "loss": "Cross-entropy"}


def report(data: StudyInput) -> Section | None:
    """Return cards with the winner's numbers and the command that trains it."""
    counted = _counted(data)
    if data.result is None:
        return Section(_TITLE, counted + _leader(data))
    result = data.result
    auc, name = result["test_auc"], data.objective.removeprefix("val_")
    cards = [
        _card(
            "AUC on test",
            markup.number(auc["value"]),
            markup.interval(auc["low"], auc["high"]),
            "of the refitted winner; 95 % interval",
        )
    ]
    if name != "auc":
        cards.append(
            _card(
                f"{_NAMES[name]} on test",
                markup.number(result["test"]),
                "",
                "what the study ranked by, on images it never saw",
            )
        )
    cards += [
        _card(
            f"{_NAMES[name]} in the search",
            markup.number(result["search"]),
            "",
            f"on validation, the best of {result['n_trials']}: too good; refitted "
            f"{markup.number(result['validation'])}",
        ),
        _card(
            "Optimism",
            f"{result['optimism']:+.3f}",
            "",
            "search minus test, as far as this test set can tell",
        ),
    ]
    again = tag("h3", "To train the winner again") + tag(
        "pre", tag("code", result["command"])
    )
    where = markup.paragraph(
        f"Its run folder is {result['run']}/, with a report of its own: evaluate and the other "
        "commands work on it.",
        class_="note",
    )
    return Section(_TITLE, counted + tag("div", *cards, class_="cards") + again + where)


def _counted(data: StudyInput) -> Markup:
    alike = data.n_like_best
    settings = data.identity["settings"]
    seeds = settings["repeats"]
    return markup.paragraph(
        f"{len(data.completed)} trials with a score ({settings['oracle']}, ranked by "
        f"{data.objective}, {seeds} training seed{'' if seeds == 1 else 's'} each). "
        f"{alike} of them cannot be told from the best on this validation set.",
        class_="lead",
    )


def _leader(data: StudyInput) -> Markup:
    if not data.completed:
        return markup.paragraph("No trial has a score.")
    best = data.completed[0]
    mean, sd = mean_sd(best, data.objective)
    spread = "" if sd is None else f" (sd {sd:.4f})"
    return markup.paragraph(
        f"Best so far: trial {best.trial_id}, {data.objective} {mean:.4f}{spread}. The winner "
        "is trained again and meets the test images when the search is over."
    )


def _card(name: str, value: str, limits: str, meaning: str) -> Markup:
    return tag(
        "div",
        tag("div", name, class_="name"),
        tag("div", value, class_="value"),
        tag("div", limits, class_="limits") if limits else "",
        tag("div", meaning, class_="meaning"),
        class_="card",
    )
