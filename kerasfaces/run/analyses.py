"""The folders of what was measured of finished detectors: laundering, comparison, maps."""

from typing import TYPE_CHECKING

from kerasfaces.core.files import write_text
from kerasfaces.run.layout import File, JsonFile, Run

if TYPE_CHECKING:
    import pandas as pd


class LaunderedRun(Run):
    """A detector's answers to laundered versions of images, and what they are worth."""

    NOUN = "laundering matrix"
    IDENTITY = "launder_request.json"
    EARLY = ("format.json", "environment.json")
    LAST = ("launder.json", "launder.csv", "laundered.csv", "report.html")
    MARKS = ("launder_request.json", "launder.json")
    result = JsonFile("launder.json")
    table_file = File("launder.csv")  # one line per cell and metric
    images_file = File("laundered.csv")  # one line per image, one logit per version
    failures = JsonFile("not_laundered.json", optional=True)  # by sha256 and version
    logits_folder = File("laundered_logits")  # what is scored already, by sha256


class Comparison(Run):
    """Several detectors on the same images."""

    NOUN = "comparison"
    IDENTITY = "identity.json"
    EARLY = ("format.json",)
    MARKS = ("compare.json",)
    result = JsonFile("compare.json")


class Explanation(Run):
    """Maps of images, with a page."""

    NOUN = "explanation"
    IDENTITY = "explain.json"
    EARLY = ("format.json",)
    LAST = ("explain.html",)
    MARKS = ("explain.json",)
    table_file = File("explanations.csv")  # one row per image
    report = File("explain.html")


class EmbeddingMap(Run):
    """Where images lie in a layer of a run, as a map."""

    NOUN = "map"
    IDENTITY = "map_request.json"
    EARLY = ("format.json", "environment.json", "points.npz")
    LAST = ("map.html", "map.json")
    MARKS = ("map_request.json",)
    result = JsonFile("map.json")
    points_file = File("points.npz")  # the projection, of what could be mapped
    table_file = File("points.csv")  # one row per image
    picture_file = File("map.png")
    clusters_file = File("clusters.png")
    grid_file = File("grid.png")
    report = File("map.html")

    def write_table(self, table: "pd.DataFrame") -> None:
        """Write points.csv."""
        write_text(self.table_file, table.to_csv(index=False, lineterminator="\n"))
