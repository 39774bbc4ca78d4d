"""Glasses by the edge strip at the nose's bridge, as kabber2023 describes it.

A frame crosses the strip between the eyes, and a bare face has hardly an edge there. One
number of a face (`eye_region.bridge`) is turned into a probability by a logistic curve fitted
to the same hand-labelled portraits as `glasses`, which sees more and is the default.
"""

from kerasfaces.annotate.annotators import glasses
from kerasfaces.annotate.contract import Annotator, Weights

SOURCE, LICENCE, VERSION = glasses.SOURCE, glasses.LICENCE, 1
PUBLISHED = glasses.PUBLISHED
ATTRIBUTES = glasses.ATTRIBUTES


def build(weights: Weights) -> Annotator:
    """Return the annotator."""
    return glasses.Head("bridge")
