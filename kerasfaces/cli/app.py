"""`kerasfaces app`: run folder -> a page in the browser that judges pictures."""

import argparse
import os
import sys
from collections.abc import Sequence

from kerasfaces import cli


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Parse, open what is to be shown, become Streamlit."""
    arguments = _parser().parse_args(argv)
    from kerasfaces.serve.app import launch
    from kerasfaces.serve.app.settings import Settings

    settings = Settings(
        runs=launch.run_folders(arguments.runs),
        upload_mb=arguments.upload_mb,
        megapixels=arguments.megapixels,
        files=arguments.files,
    )
    command = launch.command(settings, arguments.address, arguments.port)
    launch.prepare(settings)
    sys.stdout.flush()
    os.execv(command[0], command)


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser(
        "app",
        "Show a page in the browser: drop, paste or take a picture, and get the whole answer; "
        "many\npictures and a CSV; make one with your own OpenAI key. Pictures stay in memory and are "
        "sent\nnowhere. Without a run: the built-in sample's detector, to try the app.",
        [
            "pip install 'kerasfaces[app]'",
            "kerasfaces app runs/mobilenetv2-1a2b3c",
            "kerasfaces app runs/ hf://me/faces",
            "kerasfaces app RUN --address 0.0.0.0 --port 8080",
        ],
    )
    add = cli.Options(parser)
    text = "run folders, folders of them, or hf://OWNER/NAME; visitors choose one"
    add("runs", nargs="*", metavar="RUN", help=text)
    add.number("--port", 8501, "default: 8501")
    text = "where it listens; default: 127.0.0.1, this machine alone"
    add("--address", default="127.0.0.1", metavar="HOST", help=text)
    text = "upper limit of a file; default: 20"
    add.number("--upload-mb", 20, text, "MB")
    text = "upper limit of a picture; default: 50"
    add.number("--megapixels", 50, text)
    text = "upper limit of pictures judged at a time; default: 200"
    add.number("--files", 200, text)
    return parser
