"""`hf://OWNER/NAME[@REVISION]`: what names a published run."""

import dataclasses
import os
import re

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted

PREFIX = "hf://"
REPO = r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}"
_REVISION = r"[\w.-]+(/[\w.-]+)*"


@dataclasses.dataclass(frozen=True)
class Address:
    """A published run, `OWNER/NAME`, at a branch, tag or commit; None is the newest."""

    repo: str
    revision: str | None = None

    @property
    def is_pinned(self) -> bool:
        """Whether the revision is a commit, which never changes."""
        return bool(re.fullmatch("[0-9a-f]{40}", self.revision or ""))

    def __str__(self) -> str:
        """Return the address as it is written."""
        return f"{PREFIX}{self.repo}" + (f"@{self.revision}" if self.revision else "")


def is_address(text: str | os.PathLike[str]) -> bool:
    """Tell whether a run is named by an address rather than a folder."""
    return str(text).startswith(PREFIX)


def parse(text: str) -> Address:
    """Return what an address `hf://OWNER/NAME[@REVISION]` names.

    Raises:
        InputError: It is none.
    """
    match = re.fullmatch(f"{PREFIX}({REPO})(?:@({_REVISION}))?", text)
    if match is None or ".." in text:
        raise InputError(
            f"{quoted(text)} is no address of a published run; expected hf://OWNER/NAME or "
            "hf://OWNER/NAME@REVISION."
        )
    return Address(match[1], match[2])


def repo_of(text: str) -> str:
    """Return `OWNER/NAME`, given with or without `hf://`.

    Raises:
        InputError: It is something else.
    """
    repo = text.removeprefix(PREFIX)
    if not re.fullmatch(REPO, repo) or ".." in repo or "--" in repo:
        raise InputError(
            f"`repo={text!r}`: expected OWNER/NAME, letters, digits, dots and single "
            "hyphens, e.g. my-name/face-detector."
        )
    return repo
