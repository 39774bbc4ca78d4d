"""An exported file -> its logits, once it has proved that it computes what it did.

Whoever opens an export runs its golden vectors first: a damaged file, a runtime that
computes something else, or another network under the same name is refused before it judges
a picture. Beside the file stand export.json and golden.json; inside it is their content as
well, so that the file alone is enough. NumPy and the format's own runtime are all it takes.
"""

import dataclasses
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import registry
from kerasfaces.core.errors import InputError, KerasfacesError, RunError
from kerasfaces.core.files import Json, read_json, sha256
from kerasfaces.core.texts import quoted
from kerasfaces.serve import golden as golden_vectors
from kerasfaces.serve.formats import PACKAGE, Outputs
from kerasfaces.serve.golden import Golden

DESCRIPTION = "export.json"
LAYOUT = 2  # of export.json; raise whenever older readers would misread it


@dataclasses.dataclass(frozen=True)
class Export:
    """An opened export whose golden vectors were found right.

    `content` is what export.json says, without `files` and `parity` where the file came
    without it; `outputs`: see `formats`.
    """

    content: Json
    golden: Golden
    outputs: Outputs

    def logits(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the `(n, 1)` logits of images `(n, h, w, c)`, in the format's runtime."""
        return self.outputs(images)[0]


def open_export(path: Path) -> Export:
    """Open an exported network: a folder that `kerasfaces export` wrote, or the file in it.

    Raises:
        InputError: It is none, or its runtime is not installed.
        RunError: A file is missing, changed or of a newer version, or it computes something
            else than it did.
    """
    form, file, content, value = _description(path)
    golden = Golden.from_json(value, str(file))
    try:
        outputs = form.outputs(file)
        golden_vectors.require(outputs, golden, f"{file}: {form.RUNTIME}")
    except KerasfacesError:
        raise
    except ModuleNotFoundError as error:
        raise InputError(
            f"{file} is run by {form.RUNTIME}, which is not installed; run: pip install "
            f"{form.RUNTIME}"
        ) from error
    except Exception as error:  # whatever a runtime says of a damaged file
        raise RunError(
            f"{form.RUNTIME} cannot run {file} ({' '.join(str(error).split())[:160]}); "
            "export the run again."
        ) from error
    return Export(content, golden, outputs)


def _description(path: Path) -> tuple[ModuleType, Path, Json, Any]:
    """Return an export's format, its file, what describes it, and its golden.json."""
    for folder in (path, path.parent) if path.is_dir() else (path.parent,):
        described = folder / DESCRIPTION
        if not described.is_file():
            continue
        content = _described(described)
        form = registry.load(PACKAGE, content["format"])
        if path not in (folder, folder / form.FILE):
            raise InputError(
                f"{path} is not the network that {described} describes, which is "
                f"{form.FILE}; give that file, or the folder."
            )
        value = read_json(described.with_name(golden_vectors.FILE))
        return form, folder / form.FILE, content, value
    content = _embedded(path)
    form = registry.load(PACKAGE, content["format"])
    return form, path, content, content.pop("golden", None)


def _described(file: Path) -> Json:
    """Return the content of an export.json whose files are all there and unchanged."""
    content = _checked(read_json(file), str(file))
    files = content.get("files")
    if not isinstance(files, dict) or golden_vectors.FILE not in files:
        raise RunError(f"{file} does not list its files; export the run again.")
    for name, digest in files.items():
        part = file.parent / name
        if not part.is_file():
            raise RunError(
                f"{part} is missing; copy the whole folder, or export again."
            )
        if sha256(part) != digest:
            raise RunError(
                f"{part} is not the file that was exported (its SHA-256 differs); copy the "
                "folder again, or export the run again."
            )
    return content


def _embedded(path: Path) -> Json:
    """Return what a lone file says of itself."""
    for name in registry.names(PACKAGE):
        form = registry.load(PACKAGE, name)
        if path.suffix == Path(form.FILE).suffix and path.exists():
            try:
                text = form.embedded(path)
            except Exception as error:  # whatever a runtime says of a damaged file
                raise RunError(
                    f"{path} cannot be read ({' '.join(str(error).split())[:160]}); export "
                    "the run again."
                ) from error
            if text is not None:
                return _checked(json.loads(text), str(path))
    raise InputError(
        f"{path} is no export of kerasfaces; expected a folder that `kerasfaces export` "
        "wrote, or a file of one that carries its own description (onnx, openvino, litert)."
    )


def _checked(content: object, where: str) -> Json:
    refuse_newer(content, where)
    if not isinstance(content, dict) or not isinstance(content.get("format"), str):
        raise RunError(f"{where} describes no export; export the run again.")
    registry.check("format", content["format"], registry.names(PACKAGE))
    layout = content.get("layout")
    if not isinstance(layout, int) or layout < LAYOUT:
        raise RunError(
            f"{where} was written by an older version, without golden logits; export the "
            "run again."
        )
    return content


def refuse_newer(content: object, where: str) -> None:
    """Refuse a description of a layout that a newer version wrote; others pass."""
    if not isinstance(content, dict):
        return
    layout = content.get("layout")
    if isinstance(layout, int) and layout > LAYOUT:
        raise RunError(
            f"{where} has layout {layout}, written by kerasfaces "
            f"{quoted(str(content.get('kerasfaces')))}; this one reads {LAYOUT}: install "
            "the newer version (pip install -U kerasfaces)."
        )
