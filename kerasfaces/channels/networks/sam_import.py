"""Import `segment_anything` (or `mobile_sam`) where torchvision does not work.

Both packages import torchvision when they are imported, for resizing pictures and for
joining masks of whole scenes. There is no torchvision for CPU-only builds of torch, and
we need neither: pictures are resized by Pillow, exactly as torchvision would (it calls
Pillow), and prompts are points on one face.

So: where torchvision works, nothing happens here. Where it does not, empty stand-ins
take its place in `sys.modules` while the package is imported, and only then; whatever
was there before is put back. A function of a stand-in that gets called after all says
so. `mobile_sam` (TinyViT) also imports timm, for four helpers that are a line each; they
are treated the same way.

We did not copy the packages' code (theirs stays theirs, and is updated by pip), and did
not take `transformers.SamModel`: its parameters have other names, so that the published
checkpoints would not load strictly.
"""

import contextlib
import importlib
import importlib.metadata
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from torch import Tensor, nn

from kerasfaces.core.errors import MissingExtraError

_TORCHVISION = {
    "torchvision": (),
    "torchvision.transforms": (),
    "torchvision.transforms.functional": ("resize", "to_pil_image"),
    "torchvision.ops": (),
    "torchvision.ops.boxes": ("batched_nms", "box_area"),
}
_DISTRIBUTIONS = {
    "segment_anything": "segment-anything",
    "mobile_sam": "mobilesam-mirror",
}


def load(package: str) -> tuple[types.ModuleType, str]:
    """Import `segment_anything` or `mobile_sam`; return the package and its version.

    Raises:
        MissingExtraError: It is not installed.
    """
    distribution = _DISTRIBUTIONS[package]
    try:
        version = importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError as error:
        raise MissingExtraError(
            f"{distribution} is not installed; run: pip install {distribution}, or "
            "choose another mask."
        ) from error
    with contextlib.ExitStack() as stack:
        if not _works("torchvision"):
            stack.enter_context(_standing_in(_torchvision()))
        if package == "mobile_sam" and not _works("timm"):
            stack.enter_context(_standing_in(_timm()))
        return importlib.import_module(package), version


def _works(module: str) -> bool:
    try:
        importlib.import_module(module)
    except (ImportError, RuntimeError, OSError):  # built for another torch
        return False
    return True


@contextlib.contextmanager
def _standing_in(modules: dict[str, types.ModuleType]) -> Iterator[None]:
    """Put modules in place of a package, and what was there back afterwards."""
    root = next(iter(modules))

    def belongs(name: str) -> bool:
        return name == root or name.startswith(f"{root}.")

    before = {
        name: sys.modules.pop(name) for name in list(sys.modules) if belongs(name)
    }
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in [name for name in sys.modules if belongs(name)]:
            del sys.modules[name]
        sys.modules.update(before)


def _torchvision() -> dict[str, types.ModuleType]:
    modules = {name: types.ModuleType(name) for name in _TORCHVISION}
    for name, functions in _TORCHVISION.items():
        refusals = {function: _refusal(name, function) for function in functions}
        modules[name].__dict__.update(refusals)
    return modules


def _refusal(module: str, function: str) -> Callable[..., NoReturn]:
    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        raise MissingExtraError(
            f"{module}.{function} was called, but torchvision does not work with this "
            "torch; install the torchvision that belongs to it."
        )

    return refuse


class _DropPath(nn.Module):
    """timm's stochastic depth, which does nothing outside training."""

    def __init__(self, drop_prob: float | None = None) -> None:
        super().__init__()
        self.drop_prob = drop_prob

    def forward(self, x: Tensor) -> Tensor:
        return x


def _timm() -> dict[str, types.ModuleType]:
    names = ("timm", "timm.models", "timm.models.layers", "timm.models.registry")
    modules = {name: types.ModuleType(name) for name in names}
    modules["timm.models.layers"].__dict__.update(
        DropPath=_DropPath,
        to_2tuple=lambda x: tuple(x) if isinstance(x, tuple | list) else (x, x),
        trunc_normal_=nn.init.trunc_normal_,
    )
    modules["timm.models.registry"].__dict__["register_model"] = lambda model: model
    return modules
