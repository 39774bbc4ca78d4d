"""Run folder -> a repository on Hugging Face: written, looked through, uploaded."""

import contextlib
import dataclasses
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

from kerasfaces import __version__
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.files import Json, write_text
from kerasfaces.core.texts import quoted
from kerasfaces.run.folder import DetectorRun
from kerasfaces.serve.export import replacing
from kerasfaces.serve.publish import address, card, contents, hub
from kerasfaces.serve.publish.privacy import Private, require_nothing_private

logger = logging.getLogger(__name__)

MODEL, SPACE = "model", "space"  # folders of what is written
_SPACE_FILES = {"README.md": "space.md.j2", "Dockerfile": "space.dockerfile.j2"}


@dataclasses.dataclass(frozen=True)
class Publication:
    """What was written, and where it went.

    Attributes:
        repo: `OWNER/NAME`.
        folder: Where the files stay; None where they were only uploaded.
        files: Name -> `bytes` and `sha256` of the run's files.
        address: `hf://OWNER/NAME@COMMIT`; empty after a dry run.
        pages: Addresses of what was uploaded.
    """

    repo: str
    folder: Path | None
    files: Json
    address: str = ""
    pages: tuple[str, ...] = ()


def publish(
    folder: Path,
    repo: str,
    *,
    with_space: bool = False,
    dry_run: bool = False,
    private: bool = False,
    licence: str = "",
    with_features: bool = True,
    target: Path | None = None,
) -> Publication:
    """Write what is published of a run, look through it, and upload it.

    Args:
        folder: A finished run of a detector.
        repo: `OWNER/NAME` on Hugging Face; made if it is not there.
        with_space: Also a Space of that name with the app.
        dry_run: Upload nothing.
        private: Whether new repositories are private.
        licence: Of the weights, as Hugging Face names it, e.g. `apache-2.0`.
        with_features: Publish the training features (64 numbers per training image, no
            name or hash), which tell how far a picture is from them.
        target: Folder that keeps what is uploaded: `model/`, `space/`.

    Raises:
        InputError: The folder is no detector's run, something private would leave, or the
            service refuses.
        MissingExtraError: huggingface_hub is not installed.
    """
    repo = address.repo_of(repo)
    _require_licence(licence)
    if dry_run and target is None:
        raise InputError("`dry_run=True` needs a folder to write: give `output=...`.")
    run = DetectorRun.open(folder)
    if not dry_run:
        hub.client()
    with _folder(target) as place:
        content = _write(run, place, repo, licence, with_space, with_features)
        publication = Publication(repo, target, content["files"])
        if not dry_run:
            publication = _upload(publication, place, private, licence, with_space)
    return publication


def _write(
    run: DetectorRun,
    place: Path,
    repo: str,
    licence: str,
    with_space: bool,
    with_features: bool,
) -> Json:
    secrets = Private.of(run, repo)
    (place / MODEL).mkdir()
    content = contents.write(run, place / MODEL, repo, secrets, with_features)
    card.write(run, place / MODEL, content, licence)
    if with_space:
        (place / SPACE).mkdir()
        _write_space(place / SPACE, repo, licence)
    require_nothing_private(place, secrets)
    return content


def _upload(
    publication: Publication, place: Path, private: bool, licence: str, with_space: bool
) -> Publication:
    repo = publication.repo
    service = hub.client().HfApi(endpoint=hub.endpoint())
    with hub.asking(f"{repo} cannot be published"):
        page = service.create_repo(repo, private=private or None, exist_ok=True)
        commit = service.upload_folder(
            repo_id=repo, folder_path=place / MODEL, commit_message="kerasfaces publish"
        ).oid
        pages = [str(page)]
        if with_space:
            _write_space(place / SPACE, repo, licence, commit)
            page = service.create_repo(
                repo,
                repo_type="space",
                space_sdk="docker",
                private=private or None,
                exist_ok=True,
            )
            service.upload_folder(
                repo_id=repo,
                repo_type="space",
                folder_path=place / SPACE,
                commit_message="kerasfaces publish",
            )
            pages.append(str(page))
    where = str(address.Address(repo, commit))
    return dataclasses.replace(publication, address=where, pages=tuple(pages))


def _write_space(target: Path, repo: str, licence: str, revision: str = "") -> None:
    """Write the files of a Space that shows a run, at a commit or the newest."""
    values = {"repo": repo, "licence": licence, "version": __version__}
    at = str(address.Address(repo, revision or None))
    for name, template in _SPACE_FILES.items():
        write_text(target / name, card.rendered(template, address=at, **values))


@contextlib.contextmanager
def _folder(target: Path | None) -> Iterator[Path]:
    """Yield an empty folder, which becomes `target` when all went well."""
    if target is None:
        with tempfile.TemporaryDirectory(prefix="kerasfaces-") as name:
            yield Path(name)
        return
    if target.exists() and not target.is_dir():
        raise InputError(f"{target} is a file; give a folder with `output=...`.")
    names = {each.name for each in target.iterdir()} if target.is_dir() else set()
    if names and not (target / MODEL / contents.FILE).is_file():
        raise RunError(
            f"{target} holds {quoted(min(names))}, which publish did not write; choose "
            "another folder with `output=...`."
        )
    with replacing(target.resolve()) as place:
        yield place


def _require_licence(licence: str) -> None:
    if licence and not (
        licence.isascii() and licence.replace("-", "").replace(".", "").isalnum()
    ):
        raise InputError(
            f"`licence={licence!r}`: expected a name such as apache-2.0, mit or "
            "cc-by-nc-4.0 (huggingface.co/docs/hub/repositories-licenses)."
        )
