"""The winner: what it reached on test, by how much the search had flattered it, how to get it."""

from markupsafe import Markup

from kerasfaces.core.files import Json
from kerasfaces.report import markup
from kerasfaces.report.markup import Section, tag
from kerasfaces.tune.leaderboard import n_like_best
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
        f"{data.objective}, {seeds} training seed{'s' * (seeds != 1)} each). "
        f"{n_like_best(data.table)} of them cannot be told from the best on this validation set.",
        class_="lead",
    )
    rest = _winner(data, data.result) if data.result else _leader(data)
    return Section("Result", lead + rest)


def _winner(data: StudyInput, result: Json) -> Markup:
    key, optimism = data.objective.removeprefix("val_"), result["optimism"]
    name, test_auc = _NAMES[key], result["test_auc"]
    cards = [
        markup.card("AUC on test", test_auc, "of the refitted winner; 95 % interval")
    ]
    if not key.startswith("auc"):
        meaning = "what the study ranked by, on images it never saw"
        test = markup.number(result["test"])
        cards.append(markup.text_card(f"{name} on test", test, meaning))
    refitted = "seeing all, its AUC" if optimism is None else "refitted"
    cards.append(
        markup.text_card(
            f"{name} in the search",
            markup.number(result["search"]),
            f"on validation, the best of {result['n_trials']}: too good; "
            f"{refitted} {markup.number(result['validation'])}",
        )
    )
    if optimism is not None:
        meaning = "search minus test, as far as this test set can tell"
        cards.append(markup.text_card("Optimism", f"{optimism:+.3f}", meaning))
    command = tag("pre", tag("code", _call(data, result)))
    where = markup.paragraph(
        f"Its run folder is {result['run']}/, with a report of its own: evaluate and the other "
        "commands work on it.",
        class_="note",
    )
    again = tag("h3", "To train the winner again") + command + where
    return tag("div", *cards, class_="cards") + again


def _call(data: StudyInput, result: Json) -> str:
    """Return the Python that trains the winner again, in another folder."""
    model, changes = (result["training"][name] for name in ("model", "changes"))
    values = {name: result["training"][name] for name in ("weights", "store", "seed")}
    values |= {key.replace(".", "__"): value for key, value in changes.items()}
    words = "".join(f", {name}={value!r}" for name, value in values.items())
    manifest = str(data.folder / "manifest.csv")
    return f"kf.Detector({model!r}{words}).fit(kf.Manifest.from_csv({manifest!r}))"


def _leader(data: StudyInput) -> Markup:
    if not data.completed:
        return markup.paragraph("No trial has a score.")
    best, sd = data.completed[0], data.table["sd"][0]
    spread = f" (sd {sd:.4f})" if len(best.repeats) > 1 else ""
    return markup.paragraph(
        f"Best so far: trial {best.trial_id}, {data.objective} {best.score:.4f}{spread}. The "
        "winner is trained again and meets the test images when the search is over."
    )
