"""One answer as a page to file: self-contained, printable, everything that was said.

The page holds the picture, reduced, and its file's name: it is evidence, not something to
publish.
"""

import importlib.util
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from markupsafe import Markup
from PIL import Image, ImageDraw

from kerasfaces import images
from kerasfaces.core.errors import ImageError, InputError, MissingExtraError
from kerasfaces.core.files import write_text
from kerasfaces.core.texts import plain
from kerasfaces.report import markup, page
from kerasfaces.report.inline import inline
from kerasfaces.report.markup import Section, tag
from kerasfaces.run.folder import DetectorRun
from kerasfaces.serve import wording
from kerasfaces.serve.answer import Answer

KIND = "kerasfaces predict: evidence report"
_SHOWN_PX = 440
_BOX_COLOUR = (226, 88, 8)
_PAGES = (".html", ".htm")
_FOOTER = (
    "A score is a probability by a detector that was trained on images like those named above; "
    "on others it can be quite wrong. It is one piece of evidence beside others, not a proof. "
    "What a file says of its origin never changed the score."
)


def files_for(target: Path, answers: Sequence[Path]) -> list[Path]:
    """Return where each picture's page goes: `target`, or files in it where it names a folder.

    Raises:
        InputError: One page for several pictures, or something else is there.
    """
    if target.suffix.lower() not in _PAGES:
        if target.is_file():
            raise InputError(
                f"`report={str(target)!r}` is a file; give a page (.html) or a folder."
            )
        return [
            target / f"{n + 1:04d}-{_safe(file)}.html" for n, file in enumerate(answers)
        ]
    if len(answers) != 1:
        raise InputError(
            f"`report={str(target)!r}` is the page of one picture, and there are "
            f"{len(answers):,}; give a folder, which gets a page of each."
        )
    if target.exists() and (
        not target.is_file() or KIND not in target.read_text("utf-8", "replace")
    ):
        raise InputError(
            f"`report={str(target)!r}` is there already and is no report of predict's; give "
            "it another name."
        )
    return [target]


def require() -> None:
    """Refuse to begin where jinja2, which makes pages, is not installed."""
    if importlib.util.find_spec("jinja2") is None:
        raise MissingExtraError("`report` needs jinja2; run: pip install jinja2")


def write(
    target: Path,
    answer: Answer,
    file: Path,
    run: DetectorRun,
    map_: Section,
    neighbours: Section,
) -> None:
    """Write the page of an answer to `target`; see `map_section`, `neighbours_section`."""
    date = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    sections = [
        ("verdict", _verdict(answer, file)),
        ("file", _file(answer, date)),
        ("origin", _origin(answer)),
        ("faces", _faces(answer)),
        ("stability", _stability(answer)),
        ("map", map_),
        ("neighbours", neighbours),
        ("detector", _detector(answer, run, date)),
    ]
    text = page.page(file.name, KIND, answer.warnings, sections, _FOOTER)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_text(target, text)


def _verdict(answer: Answer, file: Path) -> Section:
    if answer.verdict == "unreadable":
        return Section("Verdict", markup.paragraph(f"None: {answer.reason}."))
    tried = answer.stability
    cards = [
        markup.text_card("Verdict", answer.verdict, answer.doubt or answer.judged),
        markup.text_card(
            "Score", f"{answer.score:.3f}", "probability of fake, 0 to 1, calibrated"
        ),
        markup.text_card("Logit", f"{answer.logit:+.2f}", "larger speaks for fake"),
    ]
    if tried is not None:
        share = f"{tried['n_same']} of {tried['n']}"
        cards.append(
            markup.text_card("Stability", share, "laundered versions with this verdict")
        )
    body = tag("div", *cards, class_="cards")
    rates = answer.error_rates
    if rates is not None:
        body += markup.paragraph(rates["sentence"], class_="lead")
    return Section("Verdict", body + _shown(answer, file))


def _shown(answer: Answer, file: Path) -> Markup:
    """Return the picture, reduced, with the boxes of its faces."""
    try:
        image = images.load(file)
    except ImageError as error:
        return markup.paragraph(f"The picture cannot be shown: {error}.")
    scale = min(1.0, _SHOWN_PX / max(image.size))
    width, height = (max(1, round(scale * side)) for side in image.size)
    small = image.resize((width, height), Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(small)
    for face in answer.faces or ():
        box = [edge * scale for edge in face.box]
        draw.rectangle(box, outline=_BOX_COLOUR, width=2)
    caption = "The picture, reduced; boxes are the faces that were found."
    return markup.figure(inline(small, f"{file.name}, reduced", width), caption)


def _file(answer: Answer, date: str) -> Section:
    facts = {
        "Name": plain(answer.name),
        "SHA-256": answer.sha256,
        "Size": f"{answer.width_px} x {answer.height_px} px"
        if answer.width_px
        else None,
        "Judged": answer.judged or None,
        "Judged on": date,
    }
    return Section("The file", markup.pairs("What was judged", facts))


def _origin(answer: Answer) -> Section:
    origin, title = answer.provenance, "What the file says of its origin"
    if origin is None:
        return Section(title, markup.paragraph("Not read."))
    body = markup.paragraph(origin["sentence"])
    if origin["evidence"]:
        every = [(each["kind"].replace("_", " "), each) for each in origin["evidence"]]
        rows = [(kind, each["state"], each["sentence"]) for kind, each in every]
        header = ["Evidence", "State", "What it says"]
        body += markup.table("Evidence in the file", header, rows, numeric=False)
        details = {kind: each["details"] for kind, each in every}
        body += markup.details("As the file has it", markup.pairs("Values", details))
    for reason in origin["unread"]:
        body += markup.paragraph(f"Not read: {reason}")
    return Section(title, body)


def _faces(answer: Answer) -> Section:
    if not answer.faces:
        nobody = "Nobody looked for faces."
        text = nobody if answer.faces is None else "None was found."
        return Section("Faces", markup.paragraph(text))
    rows = [
        (
            number,
            wording.place(face),
            f"{face.face_score:.2f}",
            face.verdict or "not judged alone",
            markup.number(face.score),
        )
        for number, face in enumerate(answer.faces, start=1)
    ]
    header = ["Face", "Box", "Sure that it is one", "Verdict", "Score"]
    return Section("Faces", markup.table("Faces, the largest first", header, rows))


def _stability(answer: Answer) -> Section:
    tried = answer.stability
    if tried is None:
        return Section("Stability", markup.paragraph("Not tried."))
    body = markup.paragraph(wording.stability(answer) + ".")
    rows = [
        (each["name"], each["verdict"], f"{each['logit']:+.2f}")
        for each in tried["versions"]
    ]
    header = ["Version", "Verdict", "Logit"]
    body += markup.table("The picture after what happens on its way", header, rows)
    return Section("Stability", body)


def _detector(answer: Answer, run: DetectorRun, date: str) -> Section:
    point = run.operating_point
    low, high = point.abstain
    facts = {
        **{name.capitalize(): text for name, text in answer.detector.items()},
        "Trained on": run.trained_on(),
        "Threshold": f"score {point.threshold:.4f}: {point.rule}",
        "Unsure": f"scores {low:.4f} to {high:.4f}" if low < high else "never",
        "Own photos": None
        if point.own_photos is None
        else f"{point.own_photos['flagged']} of {point.own_photos['n']} were flagged",
        "Page made": date,
    }
    return Section(
        "The detector", markup.pairs("What judged, and by which rule", facts)
    )


def _safe(file: Path) -> str:
    letters = (char if char.isalnum() or char in "-_" else "_" for char in file.stem)
    return "".join(letters)[:60]
