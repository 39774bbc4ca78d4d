"""What a reader of a run's report must know before the numbers."""

import logging
from typing import TYPE_CHECKING, Any

from kerasfaces.baselines.config import BaselineConfig
from kerasfaces.train.config import TrainConfig

if TYPE_CHECKING:  # they import Keras
    from kerasfaces.models.weights import BaseWeights
    from kerasfaces.train.data import Data

logger = logging.getLogger(__name__)
_AGREEMENT = 1e-2  # logits; engines agree in features to 1e-4


def cautions(
    config: TrainConfig | BaselineConfig,
    base_weights: "BaseWeights | None",
    data: "Data",
    audit: dict[str, Any] | None,
    facts: dict[str, Any],
) -> list[str]:
    """Return what a reader of the report must know first; each is logged as well.

    A flagged audit warns by itself.
    """
    lines, unreadable = data.leaks(), data.unreadable()
    if audit is None:
        lines.append(
            "The image files are not on this machine, only their channels: facts of the "
            "files that could give the classes away were not audited."
        )
    if unreadable:
        lines.append(
            (
                "1 image has"
                if len(unreadable) == 1
                else f"{len(unreadable)} images have"
            )
            + " no score: "
            + "; ".join(unreadable[:5])
            + (" ..." if len(unreadable) > 5 else "")
        )
    if sentence := data.enlarged(config.input_spec):
        lines.append(sentence)
    if base_weights is not None and base_weights.kind == "file":
        lines.append(
            f"The base's weights come from {base_weights.path.name} (SHA-256 "
            f"{base_weights.sha256[:12]}), which `weights` names, not from their default "
            "download."
        )
    if base_weights is None and isinstance(config, TrainConfig):
        lines.append(f"The whole {config.model.name} was trained from random weights.")
    if facts.get("agreement", 0.0) > _AGREEMENT:
        lines.append(
            f"Logits from cached features and from the whole model differ by up to "
            f"{facts['agreement']:.1e}: later predictions may differ from this report."
        )
    for line in lines:
        logger.warning("%s", line)
    return lines
