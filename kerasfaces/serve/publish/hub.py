"""Hugging Face's service, by its own client: what it refuses is one sentence."""

import contextlib
import os
import sys
from collections.abc import Iterator
from types import ModuleType

from kerasfaces.core.errors import InputError, KerasfacesError, MissingFileError
from kerasfaces.core.imports import optional_import
from kerasfaces.core.texts import plain, shortened


def client() -> ModuleType:
    """Return huggingface_hub."""
    return optional_import("huggingface_hub", "publish")


def endpoint() -> str | None:
    """Return `$HF_ENDPOINT`, the service's address; None is the public one."""
    return os.environ.get("HF_ENDPOINT") or None


@contextlib.contextmanager
def asking(what: str) -> Iterator[None]:
    """Ask the service; what goes wrong says `what` (`hf://… cannot be loaded`) and the next step.

    Raises:
        MissingFileError: It is not there.
        InputError: Service or network refuse.
    """
    from huggingface_hub import errors

    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except KerasfacesError:
        raise
    except errors.GatedRepoError as error:
        raise InputError(
            f"{what}: its owner grants access one by one; ask for it on its page, then set "
            "HF_TOKEN."
        ) from error
    except errors.RevisionNotFoundError as error:
        raise MissingFileError(
            f"{what}: it has no such revision; look at its page."
        ) from error
    except errors.LocalEntryNotFoundError as error:
        raise MissingFileError(
            f"{what}: it is not in the cache, and the service cannot be reached "
            f"({_short(error.__cause__ or error)}); check the network, then try again."
        ) from error
    except errors.EntryNotFoundError as error:
        raise MissingFileError(
            f"{what}: a file is missing in it ({_short(error)}); expected what kerasfaces "
            "publish uploads."
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise MissingFileError(
            f"{what}: there is no such repository, or it is private; check its name, or set "
            "HF_TOKEN to a token that may read it."
        ) from error
    except errors.LocalTokenNotFoundError as error:
        raise InputError(f"{what}: not logged in; run: hf auth login") from error
    except errors.HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        if status in (401, 403):
            raise InputError(
                f"{what}: the token may not do this ({status}); run hf auth login with a "
                "token that may write, or check OWNER."
            ) from error
        raise InputError(
            f"{what}: the service answered {_short(error)}; try again later."
        ) from error
    except Exception as error:  # whatever transport is below: httpx, xet
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise InputError(
            f"{what}: {type(error).__name__}: {_short(error)}; check the network, then try "
            "again: what is there already is not sent again."
        ) from error


def _short(error: BaseException) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return shortened(plain(lines[0] if lines else type(error).__name__), 160)
