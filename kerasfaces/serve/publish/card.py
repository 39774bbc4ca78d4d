"""A run's own results -> README.md, the model card, and example.py."""

import json
from pathlib import Path

from kerasfaces import __version__
from kerasfaces.core.files import Json, write_text
from kerasfaces.core.texts import plain
from kerasfaces.evaluate import unseen
from kerasfaces.evaluate.names import TITLES
from kerasfaces.run.folder import DetectorRun

CARD, EXAMPLE = "README.md", "example.py"
_COLUMNS = ("auc", "balanced_accuracy", "false_alarm_rate", "miss_rate")
_HEADLINES = ("auc", "balanced_accuracy", "tpr_at_fpr_1pct")
METRICS = {*_COLUMNS, *_HEADLINES}  # that a card shows, beside numbers of images
MISSED_OFTEN = 0.25  # of a generator's test images: it is named as one it fails on


def write(run: DetectorRun, target: Path, content: Json, licence: str) -> None:
    """Write card and example, of a run's numbers, beside the files of its `published.json`.

    `licence` is an identifier as Hugging Face knows them; empty where none is stated.
    """
    results = _results(run)
    page = rendered(
        "card.md.j2",
        repo=content["repo"],
        version=__version__,
        model=run.config["train"]["model"]["name"],
        licence=licence,
        licence_text=_licence_text(licence),
        warnings=DetectorRun(target).metrics.get("warnings", []),
        left_out=content["exports_left_out"],
        exports=sorted(path.name for path in target.glob("exports/*")),
        **results,
    )
    write_text(target / CARD, page)
    write_text(target / EXAMPLE, rendered("example.py.j2"))


def of_run(run: DetectorRun) -> str:
    """Return what the card says of training images, results and failures, in Markdown."""
    return rendered("results.md.j2", **_results(run))


def _results(run: DetectorRun) -> Json:
    """Return what the templates show of a run's results."""
    metrics, trained_on = run.metrics, run.image_counts()
    split = "test" if "test" in metrics["metrics"] else "val"
    slices = metrics["metrics"][split]
    return dict(
        trained_on=_counted(trained_on),
        base=_base(run),
        audit=_audit(run),
        split=split,
        point=run.operating_point,
        headline={name: _known(slices["all"], name) for name in _HEADLINES},
        titles=TITLES,
        columns={name: TITLES[name] for name in _COLUMNS},
        rows=[_row(name, each) for name, each in slices.items()],
        failures=_failures(slices, trained_on),
        unseen=_unseen(run, split),
        limits=run.limits,
    )


def rendered(template: str, **values: object) -> str:
    """Return one of this package's templates, filled."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=False,  # Markdown: what others wrote goes through `cell`
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"cell": _cell, "quoted": json.dumps}
    return environment.get_template(template).render(**values)


def _cell(text: object) -> str:
    """Return a text of somebody's as plain words in a line of Markdown."""
    escaped = plain(text).replace("&", "&amp;").replace("<", "&lt;")
    for sign in "\\|`*[]":
        escaped = escaped.replace(sign, f"\\{sign}")
    return escaped


def _known(part: Json, name: str) -> Json | None:
    estimate = part.get(name) or {}
    return estimate if estimate.get("value") is not None else None


def _shown(part: Json, name: str) -> str:
    """Return an estimate with its interval."""
    estimate = _known(part, name)
    if estimate is None:
        return "–"
    text = f"{estimate['value']:.3f}"
    if estimate.get("low") is not None:
        text += f" ({estimate['low']:.3f} to {estimate['high']:.3f})"
    return text


def _row(name: str, part: Json) -> Json:
    columns = {column: _shown(part, column) for column in _COLUMNS}
    counts = {"n_real": part["n_real"], "n_fake": part["n_fake"]}
    return {"name": name, **counts, **columns}


def _counted(trained_on: Json) -> list[tuple[str, str, str, int]]:
    order = {"train": 0, "val": 1, "test": 2}
    rows = [
        (split, label, source, n)
        for split, labels in trained_on.items()
        for label, sources in labels.items()
        for source, n in sources.items()
    ]
    return sorted(rows, key=lambda row: (order.get(row[0], 3), row))


def _failures(slices: Json, trained_on: Json) -> list[str]:
    """Name the generators that are missed often, and cameras that raise alarms often."""
    lines = []
    for name, part in slices.items():
        column, _, source = name.partition("=")
        if column != "source":
            continue
        for label, metric, wrong in (
            ("fake", "miss_rate", "of its fakes are called real"),
            ("real", "false_alarm_rate", "of its real photos are called fake"),
        ):
            is_of = any(source in each.get(label, {}) for each in trained_on.values())
            estimate = _known(part, metric)
            if is_of and estimate and estimate["value"] >= MISSED_OFTEN:
                lines.append(f"{source}: {_shown(part, metric)} {wrong}.")
    return lines or [
        f"No source of its own test images has {MISSED_OFTEN:.0%} errors or more."
    ]


def _unseen(run: DetectorRun, split: str) -> list[Json]:
    content = unseen.read(run)
    if not content:
        return []
    return [
        {
            "family": family,
            "n_fake": parts[split]["n_fake"],
            "auc": _shown(parts[split]["unseen"], "auc"),
            "recall": _shown(parts[split]["unseen"], "recall"),
        }
        for family, parts in content["families"].items()
        if split in parts
    ]


def _base(run: DetectorRun) -> str:
    """Say where the base's weights came from."""
    if run.baseline is not None:
        return "It has no network that was trained before."
    weights = run.base_weights
    if weights is None:
        return "All of the network was trained on these images."
    digest = f"SHA-256 {str(weights.get('sha256', ''))[:12]}"
    if weights.get("kind") == "file":
        return f"Its base's weights come from a file ({digest})."
    if weights.get("kind") == "forensic":
        return f"Its base is kerasfaces' own (Apache-2.0, {digest})."
    return f"Its base's weights are `{weights.get('kind')}` ({digest}); their licence holds, too."


def _audit(run: DetectorRun) -> str:
    """Say how much files alone tell of the labels."""
    audit = run.audit
    if not audit or audit.get("auc") is None:
        return "Whether the files alone give the labels away was not measured."
    return (
        f"Facts of the files alone (format, size, compression) separate real from fake with "
        f"AUC {audit['auc']:.3f} ({audit['low']:.3f} to {audit['high']:.3f})"
        + (
            ": the files give the labels away, and the numbers below may be theirs."
            if audit.get("flagged")
            else ", .5 being chance."
        )
    )


def _licence_text(licence: str) -> str:
    if licence:
        return f"`{licence}`, as stated by who published it. kerasfaces itself is Apache-2.0."
    return (
        "Who published this has stated no licence for the weights. kerasfaces itself is "
        "Apache-2.0; terms of the training images and of the base's weights may apply."
    )
