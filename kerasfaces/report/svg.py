"""A finished chart as inline SVG of a page.

The colours become the page's variables, so that a chart turns dark with it, and text stays
text in the page's font. `COLOURS` is the one place for colours, of charts and pages.
"""

import io
import re
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from markupsafe import Markup, escape

from kerasfaces.core.texts import plain
from kerasfaces.report.markup import tag

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {  # the light page's; page.html.j2 has the dark page's
    "page": "#fbfbfa",
    "ink": "#1c2024",
    "soft": "#5d656d",
    "rule": "#dfe2e5",
    "fake": "#b8500c",
    "real": "#1268a8",
}
_FONT = "DejaVu Sans"  # Matplotlib's own, for measuring; the page shows its font
_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}
_NARROW_PX = 480  # wider charts have a size of their own on the page


def svg(
    drawn: "Axes", description: str, titles: Mapping[str, str] | None = None
) -> Markup:
    """Return a finished chart for a page.

    The description is a sentence, different on each chart of a page; `titles`: name of a
    cell -> what is shown under the pointer.
    """
    import matplotlib
    from matplotlib.text import Text
    from matplotlib.transforms import Bbox, TransformedBbox

    file = io.StringIO()
    figure = cast("Figure", drawn.figure)
    beyond = TransformedBbox(Bbox([[-0.02, -0.02], [1.02, 1.02]]), drawn.transAxes)
    for each in drawn.get_lines():  # a line along the edge is drawn whole
        each.set_clip_path(None)
        each.set_clip_box(beyond)
    for words in figure.findobj(Text):
        words.set_parse_math(False)  # a file name with dollars is no formula
    width, height = figure.get_size_inches() * 72
    with matplotlib.rc_context(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": description,
            "font.family": "sans-serif",
            "font.sans-serif": [_FONT],
            "path.simplify_threshold": 0.3,
        }
    ):
        with warnings.catch_warnings():  # text stays text: the reader's fonts have it
            warnings.filterwarnings("ignore", r"Glyph .* missing from font")
            figure.savefig(file, format="svg", transparent=True, metadata=_METADATA)
    inner = file.getvalue().partition("<defs>")[2].rpartition("</svg>")[0]
    return tag(
        "svg",
        tag("title", description),
        Markup(_of_the_page(f"<defs>{inner}", titles or {})),
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        aria_label=description,
        style=f"max-width:{width:g}px;min-width:{min(width, 640):g}px"
        if width > _NARROW_PX
        else None,
    )


def _of_the_page(drawing: str, titles: Mapping[str, str]) -> str:
    """Return Matplotlib's markup with the page's colours and font, short numbers and no ids."""
    for name, title_text in titles.items():
        title = f"<title>{escape(plain(title_text))}</title>"
        drawing = drawing.replace(f'<g id="{name}">', f"<g>{title}")
    used = set(re.findall(r'(?:href="|url\()#(\w+)', drawing))
    drawing = re.sub(
        r' id="([^"]*)"', lambda id_: id_[0] if id_[1] in used else "", drawing
    )
    for name, code in COLOURS.items():
        drawing = drawing.replace(code, f"var(--{name})")
    drawing = re.sub(rf"'{_FONT}'[^;\"]*", "var(--font)", drawing)
    # Four digits are a tenth of a pixel; numbers between the tags are words.
    drawing = re.sub(
        r"<[^>]*>",
        lambda tag: re.sub(r"\d+\.\d{2,}", lambda n: f"{float(n[0]):.4g}", tag[0]),
        drawing,
    )
    return re.sub(r"\s*\n\s*", " ", drawing.replace("xlink:href", "href"))
