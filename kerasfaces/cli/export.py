"""`kerasfaces export`: run folder -> a file that another runtime reads."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from kerasfaces import cli
from kerasfaces.cli import printing
from kerasfaces.core import registry
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json

FORMATS = "kerasfaces.serve.formats"
BROWSER = "browser"


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Parse, export, print what was written and how well it agrees."""
    arguments = _parser().parse_args(argv)
    if arguments.format == BROWSER:
        from kerasfaces.serve.browser import write_page

        page, _ = write_page(arguments.run, arguments.output, arguments.runtime)
        printing.text(str(page))
        print(
            f"one page of {page.stat().st_size / 2**20:.1f} MB, open it in any browser of "
            "today; pictures do not leave it"
        )
        return 0
    if arguments.runtime is not None:
        raise InputError(f"--runtime goes with --format {BROWSER} only; leave it out.")
    from kerasfaces.serve.export import export

    _print(*export(arguments.run, arguments.format, arguments.output))
    return 0


def _parser() -> argparse.ArgumentParser:
    names = registry.names(FORMATS)
    lines = [f"  {name:<14} {registry.summary(FORMATS, name)}" for name in names]
    lines.append(
        f"  {BROWSER:<14} One HTML page that judges pictures where it is opened."
    )
    parser = cli.parser(
        "export",
        "Write a run's network for other runtimes: pixels 0..255 in, logit out, "
        "preprocessing inside,\nany number of images at a time. The file is run and compared "
        "with Keras before it appears.\n\nformats:\n" + "\n".join(lines),
        [
            "pip install 'kerasfaces[export]'",
            "kerasfaces export runs/mobilenetv2-1a2b3c --format onnx",
            "kerasfaces export RUN --format litert_int8 -o phone",
            "kerasfaces export RUN --format browser -o page     # page/index.html",
        ],
    )
    add = cli.Options(parser)
    add("run", type=Path, metavar="RUN", help="run folder made by train, or a winner")
    add("--format", required=True, choices=[*names, BROWSER], help="what to write")
    text = "folder to write (default: RUN/exports/FORMAT)"
    add.folder(text)
    text = "ONNX Runtime Web for the page, a folder or npm's archive (default: npm fetches it)"
    add.path("--runtime", text, "PATH")
    return parser


def _print(path: Path, content: Json) -> None:
    shape = ", ".join(str(n or "n") for n in content["input"]["shape"])
    runtime, point = content["runtime"], content["operating_point"]
    a, b = (point["calibrator"][name] for name in "ab")
    low, high = point["abstain"]
    unsure = f", unsure {low:.4f} to {high:.4f}" if low < high else ""
    printing.text(str(path))
    print(f"in: ({shape}) float32, {content['input']['values']}")
    print(
        f"out: logit; score = sigmoid({a:.4f} * logit + {b:.4f}), fake from "
        f"{point['threshold']:.4f}{unsure}"
    )
    by = f"{runtime['package']} {runtime['version']}"
    if "quantised" in content:
        print(_cost(content["quantised"], by))
    else:
        print(_parity(content["parity"], by))
    if runtime["advice"]:
        print(f"advice: {runtime['advice']}")
    printing.text(f"all of this: {path.with_name('export.json')}")


def _parity(parity: Json, by: str) -> str:
    differs = ", ".join(
        f"{far:.1e} with {size} at a time"
        for size, far in parity["worst_by_batch"].items()
    )
    return f"differs from Keras by {differs} ({parity['on']}, limit {parity['limit']:g}; {by})"


def _cost(cost: Json, by: str) -> str:
    change, changed = cost["auc_change"], cost["verdicts_changed"]
    interval = (
        f"{change['low']:+.4f} to {change['high']:+.4f}"
        if change["low"] is not None
        else change["method"]
    )
    left_out = f", {cost['n_left_out']} left out" if cost["n_left_out"] else ""
    return (
        f"quantised: AUC {cost['auc_quantised']['value']:.4f}, Keras "
        f"{cost['auc_keras']['value']:.4f}, change {change['value']:+.4f} (95 % {interval}), "
        f"verdicts changed {100 * changed['value']:.1f} % "
        f"({100 * changed['low']:.1f} to {100 * changed['high']:.1f}), on the test split's "
        f"{cost['n_real']} real and {cost['n_fake']} fake images{left_out}; {by}"
    )
