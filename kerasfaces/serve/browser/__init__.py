"""A run -> one HTML page that judges pictures in the reader's browser.

The page holds the ONNX export, ONNX Runtime Web and a resize that computes Pillow's bytes;
its content security policy forbids every connection, so that no picture leaves it. It opens
from a disk or from any static server. Before it judges it runs the export's golden vectors.
"""

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

from kerasfaces import __version__
from kerasfaces.channels import graph
from kerasfaces.core.errors import InputError, MissingFileError, RunError
from kerasfaces.core.files import Json, read_json, sha256, write_json, write_text
from kerasfaces.run.folder import DetectorRun
from kerasfaces.serve import golden, opening
from kerasfaces.serve.browser import runtime as runtimes
from kerasfaces.serve.export import FILE, earlier_export, export, hashes, replacing

FORMAT = "browser"
PAGE, NOTICE = "index.html", f"{runtimes.PACKAGE}-LICENSE.txt"
_HERE = Path(__file__).parent
_SCRIPTS = ("pixels.js", "answer.js", "page.js")
# What the page knows of an input_spec.json; anything else it would silently leave out.
_KNOWN = frozenset(
    "input limits made_by channels value_range channel_recipe channel_recipe_sha256".split()
)


def write_page(
    folder: Path, target: Path | None = None, runtime: Path | None = None
) -> tuple[Path, Json]:
    """Write a run's page into `target`, by default `RUN/exports/browser`, if it is not there yet.

    The run is of a network, on pixels or on channels without a mask; `runtime` is where
    ONNX Runtime Web is, see `runtime.files`. Returns the page and the content of the
    export.json beside it.

    Raises:
        KerasfacesError: As of `runtime.files` and `export.export`, or the run takes what a
            browser cannot make.
    """
    run = DetectorRun.open(folder)
    _require_known_input(run)
    target = (target or folder / "exports" / FORMAT).resolve()
    before = earlier_export(target)
    file, described = export(folder, "onnx")
    content = {
        **{name: described[name] for name in ("kerasfaces", "source", "input_spec")},
        "format": FORMAT,
        "operating_point": described["operating_point"],
        "network_sha256": described["files"][file.name],
        "runtime": {"package": runtimes.PACKAGE, "version": runtimes.VERSION},
        "page": _digest(),
    }
    if before.items() >= content.items() and before["files"] == hashes(target):
        return target / PAGE, before
    opening.open_export(file.parent)
    page = _page(run, file, content, runtimes.files(runtime))
    with replacing(target) as part:
        write_text(part / PAGE, page)
        write_text(part / NOTICE, runtimes.LICENSE)
        content |= {"files": hashes(part)}
        write_json(part / FILE, content)
    return target / PAGE, content


def _require_known_input(run: DetectorRun) -> None:
    spec = run.input_spec
    if why := graph.reason_against(spec.get("channel_recipe") or {}):
        raise InputError(
            f"{run.path} has no page: {why}; use kerasfaces predict, app or serve."
        )
    if spec["input"].get("faces", "none") != "none":
        raise InputError(
            f"{run.path} was trained on face crops, and the page finds no faces; use "
            "kerasfaces predict, app or serve."
        )
    others = sorted(spec.keys() - _KNOWN)
    if unknown := [name for name in others if spec[name] not in (None, "image")]:
        raise InputError(
            f"{run.path}: the page does not make what input_spec.json asks for "
            f"({', '.join(unknown)}); use kerasfaces predict, app or serve."
        )


def _page(
    run: DetectorRun, file: Path, content: Json, runtime: Mapping[str, bytes]
) -> str:
    """Return the page as text."""
    import jinja2
    from markupsafe import Markup

    parts = ("input", "limits", "made_by")  # the rest is inside the network
    about = {
        "input_spec": {name: content["input_spec"].get(name) for name in parts},
        "operating_point": content["operating_point"],
    }
    about["golden"] = read_json(file.with_name(golden.FILE))
    script = _module(runtime[runtimes.SCRIPT].decode())
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}' 'wasm-unsafe-eval'; style-src "
        f"'{_hash(style)}'; base-uri 'none'; form-action 'none'"
    )
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    return environment.get_template("page.html.j2").render(
        policy=policy,
        name=run.name,
        model=content["source"]["model"],
        rates=_rates(run),
        version=__version__,
        runtime=runtimes.VERSION,
        style=Markup(style),
        script=Markup(script),
        about=Markup(json.dumps(about).replace("<", "\\u003c")),
        network=_packed(file.read_bytes()),
        wasm=_packed(runtime[runtimes.WASM]),
    )


def _module(runtime: str) -> str:
    """Return one module of the runtime, whose names stay its own, and the page's scripts."""
    runtime = re.sub(r"//# sourceMappingURL=.*", "", runtime).replace("\r\n", "\n")
    parts = re.split(r"export\{([^{}]*)\};?", runtime)
    if len(parts) != 3 or parts[2].strip():
        raise RunError(f"{runtimes.SCRIPT} has another form than this version expects.")
    pairs = [each.split(" as ") for each in parts[1].split(",")]
    names = ",".join(f"{public}:{private}" for private, public in pairs)
    own = "\n".join((_HERE / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    text = f"const ort=(()=>{{{parts[0]}\nreturn {{{names}}};}})();\n{own}"
    if "</script" in text.lower() or "<!--" in text:
        raise RunError(f"{runtimes.SCRIPT} cannot stand inside a page.")
    return text


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def _packed(data: bytes) -> str:
    return base64.b64encode(gzip.compress(data, mtime=0)).decode("ascii")


def _digest() -> str:
    """Return a hash of what the page is made from beside the run."""
    names = (*_SCRIPTS, "page.css", "page.html.j2", "__init__.py", "runtime.py")
    return hashlib.sha256(
        "".join(sha256(_HERE / n) for n in names).encode()
    ).hexdigest()


def _rates(run: DetectorRun) -> str:
    """Say how often the verdicts were wrong on test; empty where that is not known."""
    try:
        measured = run.measured("test")
        rates = {
            "the real images were called fake": measured["false_alarm_rate"],
            "the fake images real": measured["miss_rate"],
        }
        parts = [
            f"{100 * each['value']:.1f} % (95 % interval {100 * each['low']:.1f} to "
            f"{100 * each['high']:.1f} %) of {what}"
            for what, each in rates.items()
        ]
    except (KeyError, TypeError, MissingFileError, RunError):
        return "How often it is wrong was not measured."
    return f'On the {measured["n"]} images of its test split {" and ".join(parts)}, "unsure" counted by the nearer side.'
