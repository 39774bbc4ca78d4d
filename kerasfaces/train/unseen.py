"""Leave one family of fakes out: what does a head say of fakes it has not seen?

The head without a family sees nothing of it: neither its weights, nor its standardisation,
nor the choice of its epoch. Real images all stay, of every camera, since the question is
the unseen generator: `val_auc_unseen` is the mean over families of the AUC of the family's
validation fakes against all validation reals.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from kerasfaces import metrics
from kerasfaces.core import config as configs
from kerasfaces.core.errors import InputError
from kerasfaces.core.progress import hosted_by, progress
from kerasfaces.core.texts import listed, quoted
from kerasfaces.evaluate.unseen import judges
from kerasfaces.features.readers import Reader, standardized
from kerasfaces.metrics.inputs import Bools
from kerasfaces.models import network
from kerasfaces.train import discriminant
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.examples import Examples
from kerasfaces.train.heads import (
    Heads,
    erased_directions,
    head_logits,
    moments,
    prepare,
    unusual_setting,
)
from kerasfaces.train.loop import run_phase

MIN_VAL = 5  # validation fakes of a family below which its AUC says nothing

Logits = NDArray[np.float64]


def families_of(
    train_fakes: Sequence[str], val_fakes: Sequence[str]
) -> tuple[list[str], dict[str, str]]:
    """Return the families that can be left out, and why each other one cannot.

    Args:
        train_fakes: The family of each training fake.
        val_fakes: The family of each validation fake.

    Raises:
        InputError: There is none to leave out.
    """
    train, val = (np.array(each, dtype=object) for each in (train_fakes, val_fakes))
    every = sorted({*train, *val})
    if len(every) < 2:
        raise InputError(
            f"All fakes are of one family, {quoted(every[0])}: there is none to leave out. Add "
            "fakes of another generator, or name families in the manifest's column family."
        )
    reasons = {}
    for name in every:
        n_val = int((val == name).sum())
        if n_val < MIN_VAL:
            reasons[name] = (
                f"it has {n_val} validation fakes, at least {MIN_VAL} are needed"
            )
        elif not (train != name).any() or not (val != name).any():
            reasons[name] = "without it a split has no fake left"
    usable = [name for name in every if name not in reasons]
    if not usable:
        texts = [f"{quoted(name)}: {why}" for name, why in reasons.items()]
        raise InputError(
            f"No family of fakes can be left out ({listed(texts)}). Add images, or join small "
            "families in the manifest's column family."
        )
    return usable, reasons


def logits_without(
    config: TrainConfig,
    examples: Examples,
    family: str,
    readers: Sequence[Reader],
    heads: Heads | None = None,
) -> list[Logits]:
    """Train a head without one family and return its logits of each reader's images.

    Args:
        config: Of the head's training.
        examples: What is there to train on.
        family: Of the fakes that are left out.
        readers: Reader of images, as wide as the examples'.
        heads: Traced heads to use again, under TensorFlow.
    """
    left, head, ready = examples.without(family), config.model.head, None
    if heads is not None and not unusual_setting(config):
        known = moments(left.train) if head.standardize else None
        erased = None
        if known and head.erase:
            erased = erased_directions(
                left.train, left.train_labels, left.train_sources, known, head.erase
            )
        val, *others = standardized([left.val, *left.train, *readers], known, erased)
        train, readers = others[: len(left.train)], others[len(left.train) :]
        left = dataclasses.replace(left, train=train, val=val)
        plain = configs.updated(config, {"model": {"head": {"erase": 0}}})
        ready = heads.get(left.width, plain, left.n_steps(config))
        model = ready.model
    else:
        model = network.build_head(left.width, head, config.seed)
        prepare(model, head, left.train, left.train_labels, left.train_sources)
    if head.solver == "discriminant":
        discriminant.fit(model, head, left.train, left.train_labels, left.train_sources)
    else:
        epochs = ready.epochs if ready else None
        run_phase(left.phase(model, config, ready=epochs), None)
    return [head_logits(model, each) for each in readers]


@dataclasses.dataclass(frozen=True, eq=False)
class Unseen:
    """What heads that had not seen a family say of validation."""

    aucs: dict[str, float]  # family -> AUC of its fakes against all reals
    # `(m,)`, by the head that judges each image (`evaluate.unseen.judges`); NaN for fakes
    # of a family that was not left out.
    logits: Logits

    @property
    def objective(self) -> float:
        """`val_auc_unseen`: the mean over families."""
        return float(np.mean(list(self.aucs.values())))


def auc_unseen(
    config: TrainConfig,
    examples: Examples,
    families: Sequence[str],
    heads: Heads | None = None,
) -> Unseen:
    """Judge every family on validation by a head that has not seen it.

    Args:
        config: Of the heads' training.
        examples: What is there to train and validate on.
        families: See `families_of`.
        heads: See `logits_without`.
    """
    aucs = {}
    fake = examples.val_labels == 1
    judging = judges(fake, examples.val_families, families)
    judged = np.full(len(fake), np.nan)
    with quietly(len(families), "heads without a family") as add:
        for place, family in enumerate(families):
            (logits,) = logits_without(config, examples, family, [examples.val], heads)
            shown = against_reals(family, examples.val_labels, examples.val_families)
            aucs[family] = metrics.auc(examples.val_labels[shown], logits[shown])
            judged[judging == place] = logits[judging == place]
            add(1)
    return Unseen(aucs, judged)


def against_reals(
    family: str, labels: NDArray[np.float32], families: Sequence[str]
) -> Bools:
    """Return the rows that are real, or fakes of one family, `(n,)`."""
    own = np.array(families, dtype=object) == family
    chosen: Bools = (labels == 0) | own
    return chosen


@contextmanager
def quietly(total: int, label: str) -> Iterator[Callable[[int], None]]:
    """Show one progress for many trainings of heads, which show none of their own."""
    with progress(total, label, "head") as add, hosted_by(_silent):
        yield add


@contextmanager
def _silent(total: int, label: str, unit: str) -> Iterator[Callable[[int], None]]:
    yield lambda n: None
