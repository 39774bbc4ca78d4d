"""`hf://OWNER/NAME[@REVISION]` -> a run folder on this machine, every file by its hash.

Only files that `contents.is_ours` knows are read, and weights alone are taken from them:
networks are built from `config.json` by this package's code. The folder lies in kerasfaces'
cache, by its commit, so that a pinned revision is looked up without the network.
"""

import logging
import os
import shutil
from pathlib import Path

from kerasfaces.core import folders, homes
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.files import Json, read_json, sha256
from kerasfaces.core.texts import quoted
from kerasfaces.serve.publish import hub
from kerasfaces.serve.publish.address import Address, is_address, parse
from kerasfaces.serve.publish.contents import FILE, FORMAT, is_ours

logger = logging.getLogger(__name__)

_MAX_FILES = 200


def local(run: str | os.PathLike[str]) -> Path:
    """Return the folder of a run that is named by a path or an address.

    Raises:
        InputError: It is no address, no published run, or the service refuses.
        MissingFileError: There is no such repository.
        RunError: A file is not the published one.
    """
    return fetched(parse(str(run))) if is_address(run) else Path(run)


def fetched(address: Address) -> Path:
    """Return a published run as a folder, downloaded where it is not there yet; see `local`."""
    root = homes.cache_root() / "published" / address.repo.replace("/", "--")
    name = address.repo.rpartition("/")[2]  # the run's
    if address.is_pinned and (root / str(address.revision) / name / FILE).is_file():
        return _checked(root / str(address.revision) / name, address)
    with hub.asking(f"{address} cannot be loaded"):
        listing = _download(address, FILE)
        commit = listing.parent.name
    target = root / commit / name
    with folders.lock(root, "published run", wait=True):
        if not (target / FILE).is_file():
            _copy(Address(address.repo, commit), listing, target)
    if not address.is_pinned:
        logger.info("%s is %s", address, Address(address.repo, commit))
    return _checked(target, address)


def _download(address: Address, name: str) -> Path:
    path = hub.client().hf_hub_download(
        address.repo, name, revision=address.revision, endpoint=hub.endpoint()
    )
    return Path(path)


def _copy(address: Address, listing: Path, target: Path) -> None:
    """Download the listed files, compare them, and put the whole folder in its place."""
    part = target.with_name(f".{target.name}.part")
    folders.remove(part)
    part.mkdir(parents=True)
    for name, facts in _listed(listing, address).items():
        with hub.asking(f"{address} cannot be loaded"):
            source = _download(address, name)
        _require_hash(source, facts, address, name)
        (part / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, part / name)
    shutil.copyfile(listing, part / FILE)
    part.rename(target)


def _checked(folder: Path, address: Address) -> Path:
    """Return the folder, whose files are still those that were published."""
    for name, facts in _listed(folder / FILE, address).items():
        if not (folder / name).is_file():
            raise RunError(
                f"{folder} lacks {name}; delete the folder, and it is downloaded again."
            )
        _require_hash(folder / name, facts, address, name)
    return folder


def _listed(listing: Path, address: Address) -> dict[str, Json]:
    """Return name -> facts of the files of a published run."""
    content: Json = read_json(listing)
    files = content.get("files") if isinstance(content, dict) else None
    if not isinstance(files, dict) or not 0 < len(files) <= _MAX_FILES:
        raise RunError(
            f"{address}: {FILE} is damaged; expected what kerasfaces publish writes."
        )
    if not _are_counts(content.get("trained_on", {})):
        raise RunError(f"{address}: trained_on of {FILE} is damaged; it is not used.")
    number = content.get("format")
    if not isinstance(number, int) or number > FORMAT:
        raise RunError(
            f"{address} was published by kerasfaces {quoted(content.get('kerasfaces'))} in "
            f"format {quoted(number)}, and this version reads {FORMAT}: install the "
            "newer version (pip install -U kerasfaces)."
        )
    for name, facts in files.items():
        if not is_ours(name) or not isinstance(facts, dict):
            raise InputError(
                f"{address} lists {quoted(name)}, which is no file of a run; nothing of it "
                "was read."
            )
    return files


def _are_counts(value: object, depth: int = 3) -> bool:
    """Tell whether a value is a number of images by split, label and source."""
    if depth == 0:
        return isinstance(value, int)
    return isinstance(value, dict) and all(
        _are_counts(part, depth - 1) for part in value.values()
    )


def _require_hash(file: Path, facts: Json, address: Address, name: str) -> None:
    expected = str(facts.get("sha256"))
    if (actual := sha256(file)) != expected:
        raise RunError(
            f"{address}: {name} is not the file that was published (SHA-256 {actual[:12]}, "
            f"expected {quoted(expected[:12])}); it is not used. Delete {file}, or ask its "
            "owner to publish again."
        )
