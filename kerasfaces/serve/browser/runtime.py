"""ONNX Runtime Web for the page: from npm, from a folder or an archive that the user gives.

Too large for this repository (14 MB of WebAssembly), so that one version is fetched when a
page is built, and kept in the cache. Whatever its origin, both files must have the hashes
of that version (github.com/microsoft/onnxruntime, MIT License).
"""

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from kerasfaces.core.errors import InputError, MissingExtraError, MissingFileError
from kerasfaces.core.files import atomic_path
from kerasfaces.core.homes import cache_root

PACKAGE, VERSION = "onnxruntime-web", "1.30.0"
SCRIPT, WASM = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
SHA256 = {
    SCRIPT: "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    WASM: "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}
LICENSE = """MIT License

Copyright (c) Microsoft Corporation

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""
_PLACES = ("", "dist", "package/dist", f"node_modules/{PACKAGE}/dist")
_TIMEOUT_S = 600
_INSTEAD = (
    f"or give `runtime`: the archive that `npm pack {PACKAGE}@{VERSION}` writes on another "
    "machine, or a folder with it unpacked (--runtime)"
)


def is_cached() -> bool:
    """Tell whether `files` needs neither npm nor a path."""
    cache = cache_root() / f"{PACKAGE}-{VERSION}"
    return all((cache / name).is_file() for name in SHA256)


def files(given: Path | None = None) -> Mapping[str, bytes]:
    """Return both files by name: of a folder or an archive, of the cache, or by npm.

    Raises:
        MissingFileError: They are not where the user says.
        MissingExtraError: npm is missing or gets nothing.
        InputError: They are of another version.
    """
    if given is not None:
        return _checked(_read(given), given)
    cache = cache_root() / f"{PACKAGE}-{VERSION}"
    if is_cached():
        return _checked(_read(cache), cache)
    with tempfile.TemporaryDirectory() as folder:
        archive = _pack(Path(folder))
        content = _checked(_read(archive), archive)
    for name, data in content.items():
        with atomic_path(cache / name) as path:
            path.write_bytes(data)
    return content


def _pack(folder: Path) -> Path:
    """Let npm fetch the package into a folder; return the archive."""
    npm = shutil.which("npm")
    if npm is None:
        raise MissingExtraError(
            f"npm, which fetches {PACKAGE} for the page, is not installed: install Node.js, "
            f"{_INSTEAD}."
        )
    command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent"]
    try:
        done = subprocess.run(
            [*command, "--pack-destination", str(folder)],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
            cwd=folder,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MissingExtraError(
            f"npm pack {PACKAGE}@{VERSION} fails ({error}); try again, {_INSTEAD}."
        ) from error
    archives = list(folder.glob("*.tgz"))
    if done.returncode or len(archives) != 1:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        reason = " ".join(lines[:2])[:200] or "no archive came"
        raise MissingExtraError(
            f"npm pack {PACKAGE}@{VERSION} fails ({reason}); connect to the internet, "
            f"{_INSTEAD}."
        )
    return archives[0]


def _read(origin: Path) -> dict[str, bytes]:
    """Return both files of a folder or an archive."""
    if origin.is_dir():
        for place in _PLACES:
            if all((origin / place / name).is_file() for name in SHA256):
                return {name: (origin / place / name).read_bytes() for name in SHA256}
        raise MissingFileError(
            f"{origin} does not hold {SCRIPT} and {WASM}; expected {PACKAGE} {VERSION}, "
            "unpacked."
        )
    try:
        with tarfile.open(origin) as archive:
            members = {name: f"package/dist/{name}" for name in SHA256}
            opened = {key: archive.extractfile(at) for key, at in members.items()}
            return {key: file.read() if file else b"" for key, file in opened.items()}
    except (OSError, KeyError, EOFError, tarfile.TarError) as error:
        raise MissingFileError(
            f"{origin} is no archive of {PACKAGE} ({error}); expected what `npm pack "
            f"{PACKAGE}@{VERSION}` writes."
        ) from error


def _checked(content: dict[str, bytes], origin: Path) -> dict[str, bytes]:
    for name, data in content.items():
        if hashlib.sha256(data).hexdigest() != SHA256[name]:
            raise InputError(
                f"{name} of {origin} is not that of {PACKAGE} {VERSION} (its SHA-256 "
                "differs); delete it and fetch that version again."
            )
    return content
