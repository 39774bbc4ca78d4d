"""What was searched, how, on what, and with which versions."""

from markupsafe import Markup

from kerasfaces.core.files import Json
from kerasfaces.report import markup
from kerasfaces.report.markup import Section
from kerasfaces.tune.report import StudyInput

ORDER = 90


def report(data: StudyInput) -> Section | None:
    """Return space, settings, base weights and environment as tables."""
    space = [[name, _described(hp)] for name, hp in data.identity["space"].items()]
    settings = {
        **data.settings,
        **{key: data.about.get(key) for key in ("max_trials", "budget_h")},
        "manifest": data.identity["manifest"],
        "channels": data.identity["channels"],
        **{f"weights of {k}": v for k, v in data.identity["weights"].items()},
    }
    header = ["Hyperparameter", "Values"]
    parts = [
        markup.table("Search space", header, space, numeric=False),
        markup.details("Settings", markup.pairs("Settings", settings)),
        markup.details("Environment", markup.pairs("Environment", data.environment)),
    ]
    return Section("Space, settings and versions", Markup("").join(parts))


def _described(hp: Json) -> str:
    if "values" in hp:
        return ", ".join(str(value) for value in hp["values"])
    scale = "" if hp.get("sampling") in (None, "linear") else f", {hp['sampling']}"
    return f"{hp.get('min_value')} to {hp.get('max_value')}{scale}"
