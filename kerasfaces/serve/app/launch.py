"""Runs -> Streamlit's own command, which serves `page.py`."""

import contextlib
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from kerasfaces.core.errors import InputError
from kerasfaces.core.imports import optional_import
from kerasfaces.core.texts import listed
from kerasfaces.run.folder import DetectorRun
from kerasfaces.run.kinds import POINT
from kerasfaces.serve.app.settings import Settings
from kerasfaces.serve.publish import fetch

PAGE = Path(__file__).with_name("page.py")
_OPTIONS = {
    "browser.gatherUsageStats": "false",
    "server.headless": "true",  # asks for no e-mail address, opens no window
    "server.fileWatcherType": "none",
    "server.enableXsrfProtection": "true",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",  # a visitor sees no traceback
    "global.developmentMode": "false",
    "theme.primaryColor": "#0b5fa5",
}


def run_folders(words: Sequence[str]) -> tuple[str, ...]:
    """Return the finished detectors' runs that are meant, each once.

    Words are run folders, folders of runs, or `hf://OWNER/NAME[@REVISION]`.

    Raises:
        KerasfacesError: One is no finished run of a detector, and holds none.
    """
    folders: list[str] = []
    for word in words:
        folder = fetch.local(word)
        below = [each.parent for each in sorted(folder.glob(f"*/{POINT}"))]
        if (folder / POINT).is_file() or not below:
            DetectorRun.open(folder)
            folders.append(str(folder.resolve()))
            continue
        runs = [run for run in below if type(DetectorRun.kind(run)) is DetectorRun]
        if not runs:
            raise InputError(
                f"{folder} holds no detector's run, but "
                f"{listed([run.name for run in below], 4)}."
            )
        folders += [str(run.resolve()) for run in runs]
    return tuple(dict.fromkeys(folders))


def command(settings: Settings, address: str, port: int) -> list[str]:
    """Return the words of the command that serves the app.

    Raises:
        InputError: The port is taken.
    """
    optional_import("streamlit", "app")
    _require_free(address, port)
    options = _OPTIONS | {
        "server.address": address,
        "server.port": str(port),
        "server.maxUploadSize": str(settings.upload_mb),
    }
    words = [sys.executable, "-m", "streamlit", "run", str(PAGE)]
    words += [word for name, value in options.items() for word in (f"--{name}", value)]
    return [*words, "--", settings.to_text()]


def prepare(settings: Settings) -> None:
    """Make the first detector's export, so that no visitor waits for it."""
    from kerasfaces.serve.app import sample_detector
    from kerasfaces.serve.exported import ExportedDetector

    first = settings.runs[0] if settings.runs else sample_detector.folder()
    ExportedDetector.open(first)


def _require_free(address: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with contextlib.closing(socket.socket(family)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except (OSError, OverflowError) as error:
            raise InputError(
                f"The app cannot listen at {address}:{port} ({error}); give another "
                "`port=...` or `address=...`."
            ) from error
