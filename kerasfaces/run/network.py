"""A detector's run folder -> its network: what is needed to build, load and feed it."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasfaces import __version__
from kerasfaces.core import config as configs
from kerasfaces.core import numerics
from kerasfaces.core.errors import (
    InputError,
    KerasfacesError,
    MissingFileError,
    RunError,
)
from kerasfaces.core.texts import plain, quoted, shortened
from kerasfaces.images import InputSpec
from kerasfaces.images.limits import Limits
from kerasfaces.models import catalogue
from kerasfaces.models.config import ModelConfig

if TYPE_CHECKING:
    import keras

    from kerasfaces.run.folder import DetectorRun


@dataclasses.dataclass(frozen=True)
class TrainedNetwork:
    """What a run folder says about its network.

    Attributes:
        run: The run folder.
        model: The architecture.
        weights: Identity of the base's weights; None when it was trained from nothing.
        frozen: Whether the base is exactly those weights.
        input_spec: What stands between a file and the pixels.
        channel_recipe: What stands between the pixels and the input; None for pixels.
        limits: What a picture must have to get a verdict; None where nothing is known.
    """

    run: "DetectorRun"
    model: ModelConfig
    weights: dict[str, str] | None
    frozen: bool
    input_spec: InputSpec
    channel_recipe: dict[str, Any] | None = None
    limits: Limits | None = None

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.run.path

    def load(self) -> "keras.Model":
        """Build the network from its JSON and load its weights; no code is loaded.

        Raises:
            RunError: The weights do not fit or are damaged.
            InputError: Keras is set to other numbers than ours.
        """
        numerics.refuse_changed()
        model = catalogue.load(self.model.name).build(self.model)
        path = self.run.model_file
        try:
            model.load_weights(str(path))
        except Exception as error:
            raise RunError(f"{path} is damaged or of another model: {error}") from error
        return model


def read(run: "DetectorRun") -> TrainedNetwork:
    """Read what a run folder says of its network.

    Raises:
        MissingFileError: A file is missing.
        RunError: The run is not finished, or damaged.
        InputError: It is a baseline's.
    """
    if run.baseline is not None:
        raise InputError(
            f"{run.path} holds {run.baseline.model.name}, which is no network: only its "
            "scores can be had (kerasfaces evaluate). Give a run of a model."
        )
    try:
        return _read(run)
    except MissingFileError as error:
        raise MissingFileError(
            f"{error} {run.path} is incomplete: copy the whole run folder, or train the run "
            f"again.{_other_version(run)}"
        ) from error
    except InputError as error:
        raise RunError(
            f"{error} The run cannot be read by this version: train it again, or use the one "
            f"that made it.{_other_version(run)}"
        ) from error
    except (KeyError, TypeError, AttributeError) as error:
        raise RunError(
            f"{run.path}: config.json or input_spec.json is damaged, or of another version "
            f"({type(error).__name__}: {quoted(str(error))}); restore it, or train the run "
            f"again.{_other_version(run)}"
        ) from error


def _other_version(run: "DetectorRun") -> str:
    """Return which version made a run, where it says so and that is not this one."""
    try:
        version = run.environment["packages"]["kerasfaces"]
    except (KerasfacesError, KeyError, TypeError):
        return ""
    if version == __version__:
        return ""
    return f" It was made by kerasfaces {shortened(plain(version))}; this is {__version__}."


def _read(run: "DetectorRun") -> TrainedNetwork:
    config, where = run.config, str(run.path)
    if not (run.path / run.IDENTITY).is_file():
        raise MissingFileError(f"{where}/{run.IDENTITY} does not exist.")
    if not run.model_file.exists():
        raise RunError(
            f"{where}: training is not finished (no {run.model_file.name}); run it again."
        )
    train = config["train"]
    model = configs.from_dict(ModelConfig, train["model"], f"{where}/config.json")
    stays = not catalogue.load(model.name).end_to_end
    spec = run.input_spec
    pixels = configs.from_dict(InputSpec, spec["input"], f"{where}/input_spec.json")
    if pixels.size_px != model.size_px:
        raise RunError(
            f"{where}: input_spec.json says {pixels.size_px} px and config.json "
            f"{model.size_px}: one is damaged; restore it, or train the run again."
        )
    recipe = spec.get("channel_recipe")
    if recipe is not None:
        configs.mapping(recipe, f"{where}/input_spec.json.channel_recipe")
    return TrainedNetwork(
        run=run,
        model=model,
        weights=config["weights"],
        frozen=config["weights"] is not None
        and not (train["unfreeze"] or train.get("train_base"))
        and stays,
        input_spec=pixels,
        channel_recipe=recipe,
        limits=run.limits,
    )
