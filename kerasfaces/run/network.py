"""A detector's run folder -> its network: what is needed to build, load and feed it."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kerasfaces import __version__
from kerasfaces.core import config as configs
from kerasfaces.core import numerics
from kerasfaces.core.errors import (
    InputError,
    KerasfacesError,
    MissingFileError,
    RunError,
)
from kerasfaces.core.files import Json
from kerasfaces.core.texts import plain, quoted, shortened
from kerasfaces.images import InputSpec
from kerasfaces.images.limits import Limits
from kerasfaces.models import catalogue
from kerasfaces.models.config import ModelConfig
from kerasfaces.run import foreign_classes, weights_file

if TYPE_CHECKING:
    import keras


@dataclasses.dataclass(frozen=True)
class TrainedNetwork:
    """What a run folder says about its network.

    Attributes:
        folder: The run folder.
        weights_file: The trained network in it.
        model: The architecture.
        weights: Identity of the base's weights; None when it was trained from nothing.
        frozen: Whether the base is exactly those weights.
        input_spec: What stands between a file and the pixels.
        channel_recipe: What stands between the pixels and the input; None for pixels.
        limits: What a picture must have to get a verdict; None where nothing is known.
    """

    folder: Path
    weights_file: Path
    model: ModelConfig
    weights: dict[str, str] | None
    frozen: bool
    input_spec: InputSpec
    channel_recipe: Json | None = None
    limits: Limits | None = None

    def load(self) -> "keras.Model":
        """Build the network from its JSON and load its weights; no code is loaded.

        Raises:
            RunError: The weights do not fit or are damaged, or the file names classes of
                other packages.
        """
        numerics.refuse_changed()
        foreign_classes.refuse(self.weights_file)
        model = catalogue.load(self.model.name).build(self.model)
        try:
            weights_file.load_into(model, self.weights_file)
        except Exception as error:
            raise RunError(
                f"{self.weights_file} is damaged or of another model ({error}); train again, "
                "or copy the run folder anew."
            ) from error
        return model


def from_json(
    folder: Path,
    weights_file: Path,
    config: Json,
    input_spec: Json,
    limits: Limits | None,
) -> TrainedNetwork:
    """Return what config.json and input_spec.json of a run say; within `reading`."""
    train = config["train"]
    model = configs.from_dict(ModelConfig, train["model"], f"{folder}/config.json")
    where = f"{folder}/input_spec.json"
    pixels = configs.from_dict(InputSpec, input_spec["input"], where)
    if pixels.size_px != model.size_px:
        raise RunError(
            f"{folder}: input_spec.json says {pixels.size_px} px and config.json "
            f"{model.size_px}: one is damaged; restore it, or train the run again."
        )
    if pixels.crops != model.crops:
        raise RunError(
            f"{folder}: input_spec.json says {pixels.crops} crops and config.json "
            f"{model.crops}: one is damaged; restore it, or train the run again."
        )
    recipe = input_spec.get("channel_recipe")
    if recipe is not None:
        configs.mapping(recipe, f"{where}.channel_recipe")
    base_trained = train["unfreeze"] or train.get("train_base")
    return TrainedNetwork(
        folder=folder,
        weights_file=weights_file,
        model=model,
        weights=config["weights"],
        frozen=config["weights"] is not None
        and not base_trained
        and not catalogue.load(model.name).end_to_end,
        input_spec=pixels,
        channel_recipe=recipe,
        limits=limits,
    )


@contextlib.contextmanager
def reading(folder: Path, environment: Callable[[], Json]) -> Iterator[None]:
    """Read a run; what fails says what to do, and which other version made the run.

    Raises:
        MissingFileError: A file is missing.
        RunError: The run is damaged, or of another version.
    """
    try:
        yield
    except MissingFileError as error:
        raise MissingFileError(
            f"{error} {folder} is incomplete: copy the whole run folder, or train the run "
            f"again.{_other_version(environment)}"
        ) from error
    except InputError as error:
        raise RunError(
            f"{error} The run cannot be read by this version: train it again, or use the one "
            f"that made it.{_other_version(environment)}"
        ) from error
    except (KeyError, TypeError, AttributeError) as error:
        raise RunError(
            f"{folder}: config.json or input_spec.json is damaged, or of another version "
            f"({type(error).__name__}: {quoted(str(error))}); restore it, or train the run "
            f"again.{_other_version(environment)}"
        ) from error


def _other_version(environment: Callable[[], Json]) -> str:
    """Return which version made a run, where it says so and that is not this one."""
    try:
        version = environment()["packages"]["kerasfaces"]
    except (KerasfacesError, KeyError, TypeError):
        return ""
    if version == __version__:
        return ""
    return f" It was made by kerasfaces {shortened(plain(version))}; this is {__version__}."
