"""The winner: what it reached on test, by how much the search had flattered it, how to get it."""

from markupsafe import Markup

from kerasfaces import metrics
from kerasfaces.report import markup
from kerasfaces.report.markup import Section, tag
from kerasfaces.tune.report import StudyInput

ORDER = 10
_NAMES = {
    "auc": "AUC",
    "accuracy": "Accuracy",
    "loss": "Cross-entropy",
    "auc_unseen": "AUC of families left out",
}


def report(data: StudyInput) -> Section | None:
    """Return cards with the winner's numbers and the command that trains it."""
    seeds = data.settings["repeats"]
    lead = markup.paragraph(
        f"{len(data.completed)} trials with a score ({data.settings['oracle']}, ranked by "
        f"{data.objective}, {seeds} training seed{'' if seeds == 1 else 's'} each). "
        f"{data.n_like_best} of them cannot be told from the best on this validation set.",
        class_="lead",
    )
    return Section("Result", lead + (_winner(data) if data.result else _leader(data)))


def _winner(data: StudyInput) -> Markup:
    result = data.result or {}
    auc, name = result["test_auc"], data.objective.removeprefix("val_")
    cards = [markup.card("AUC on test", auc, "of the refitted winner; 95 % interval")]
    if not name.startswith("auc"):
        cards.append(
            markup.text_card(
                f"{_NAMES[name]} on test",
                markup.number(result["test"]),
                "what the study ranked by, on images it never saw",
            )
        )
    cards += [
        markup.text_card(
            f"{_NAMES[name]} in the search",
            markup.number(result["search"]),
            f"on validation, the best of {result['n_trials']}: too good; "
            + (
                "refitted "
                if result["optimism"] is not None
                else "seeing all, its AUC "
            )
            + markup.number(result["validation"]),
        )
    ]
    if result["optimism"] is not None:
        cards.append(
            markup.text_card(
                "Optimism",
                f"{result['optimism']:+.3f}",
                "search minus test, as far as this test set can tell",
            )
        )
    command = tag("pre", tag("code", _call(data)))
    where = markup.paragraph(
        f"Its run folder is {result['run']}/, with a report of its own: evaluate and the other "
        "commands work on it.",
        class_="note",
    )
    again = tag("h3", "To train the winner again") + command + where
    return tag("div", *cards, class_="cards") + again


def _call(data: StudyInput) -> str:
    """Return the Python that trains the winner's very run."""
    result, training = data.result or {}, (data.result or {})["training"]
    changes = {key.replace(".", "__"): v for key, v in training["changes"].items()}
    values = {name: training[name] for name in ("weights", "store", "seed")} | changes
    words = [repr(training["model"])]
    words += [f"{name}={value!r}" for name, value in values.items()]
    manifest, run = str(data.folder / "manifest.csv"), str(data.folder / result["run"])
    data_text = f"kf.Manifest.from_csv({manifest!r})"
    return f"kf.Detector({', '.join(words)}).fit({data_text}, output={run!r})"


def _leader(data: StudyInput) -> Markup:
    if not data.completed:
        return markup.paragraph("No trial has a score.")
    best = data.completed[0]
    mean, sd = metrics.mean_sd([one[data.objective] for one in best.repeats])
    spread = f" (sd {sd:.4f})" if len(best.repeats) > 1 else ""
    return markup.paragraph(
        f"Best so far: trial {best.trial_id}, {data.objective} {mean:.4f}{spread}. The winner "
        "is trained again and meets the test images when the search is over."
    )
