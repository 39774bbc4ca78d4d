"""A published run -> a Space of Hugging Face with the app: a Dockerfile and a page."""

from pathlib import Path

from kerasfaces import __version__
from kerasfaces.core.files import write_text
from kerasfaces.serve.publish.card import rendered

_FILES = {"README.md": "space.md.j2", "Dockerfile": "space.dockerfile.j2"}


def write(target: Path, repo: str, licence: str, revision: str = "") -> None:
    """Write a Space's files.

    Args:
        target: An empty folder.
        repo: The published run, `OWNER/NAME`.
        licence: As in the model's card.
        revision: The commit to show; empty is the newest.
    """
    address = f"hf://{repo}" + (f"@{revision}" if revision else "")
    for name, template in _FILES.items():
        text = rendered(
            template, repo=repo, address=address, licence=licence, version=__version__
        )
        write_text(target / name, text)
