"""Files that others publish, by address and hash: whole and the right ones, or not there."""

from pathlib import Path

from kerasfaces.core.errors import MissingFileError
from kerasfaces.core.imports import optional_import
from kerasfaces.core.texts import shortened

_TIMEOUT_S = 30


def fetch(address: str, digest: str, path: Path, extra: str, instead: str) -> None:
    """Download a file by pooch, where it is not there or has another hash.

    Args:
        address: Its URL.
        digest: Its SHA-256; a file of another is not kept.
        path: Where it goes.
        extra: The optional extra that brings pooch.
        instead: What to do with a copy from elsewhere, for the message.

    Raises:
        MissingFileError: It could not be downloaded; the message says where to get it.
        MissingExtraError: pooch is not installed.
    """
    pooch = optional_import("pooch", extra)
    try:
        pooch.retrieve(
            address,
            known_hash=f"sha256:{digest}",
            fname=path.name,
            path=path.parent,
            downloader=pooch.HTTPDownloader(timeout=_TIMEOUT_S),
        )
    except Exception as error:
        why = shortened(" ".join(str(error).split()), 120)
        raise MissingFileError(
            f"{path.name} could not be downloaded ({why}). Get it from {address} on a "
            f"machine with internet, {instead}."
        ) from error
