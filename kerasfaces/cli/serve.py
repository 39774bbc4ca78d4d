"""`kerasfaces serve`: a finished run as a service."""

import argparse
import dataclasses
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from kerasfaces import cli
from kerasfaces.core.errors import InputError
from kerasfaces.core.imports import optional_import

TOKEN = "KERASFACES_TOKEN"


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Parse, open the run, serve until a signal."""
    arguments = _parser().parse_args(argv)
    for module in ("fastapi", "uvicorn", "python_multipart", "prometheus_client"):
        optional_import(module, "serve")
    from kerasfaces.serve.http.settings import Settings
    from kerasfaces.serve.publish import fetch

    arguments.run = fetch.local(arguments.run)
    names = {field.name for field in dataclasses.fields(Settings)}
    given = {key: value for key, value in vars(arguments).items() if key in names}
    settings = Settings(**given, token=_token(arguments.token_file))
    _caution(arguments.host, settings.token)
    if arguments.engine == "ray":
        from kerasfaces.serve.http import on_ray

        on_ray.run(
            settings,
            arguments.host,
            arguments.port,
            arguments.replicas,
            arguments.address,
            _announce,
        )
        return 0
    if arguments.address:
        raise InputError("--address is of a Ray cluster; add --engine ray.")
    from kerasfaces.serve.http import server
    from kerasfaces.serve.http.judge import Judge

    with server.listen(arguments.host, arguments.port) as listening:  # before it loads
        server.run(Judge.open(settings), listening, arguments.host, _announce)
    return 0


def _announce(url: str) -> None:
    print(f"serving at {url}", flush=True)


def _token(file: Path | None) -> str:
    """Return the token of a file or of the environment; a command line is public."""
    token = os.environ.get(TOKEN, "")
    if file is not None:
        try:
            token = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"--token-file {file} cannot be read ({error}); give a file with the token."
            ) from error
        if not token:
            raise InputError(f"--token-file {file} is empty; write the token into it.")
    if not token.isascii() or not token.isprintable():
        raise InputError(
            "The token has characters that no header can carry; use ASCII."
        )
    return token


def _caution(host: str, token: str) -> None:
    if host not in ("127.0.0.1", "::1", "localhost") and not token:
        logging.getLogger("kerasfaces.serve").warning(
            "%s is reachable from other machines, and whoever reaches it may use it: set "
            "%s, or give --token-file",
            host,
            TOKEN,
        )


def _replicas(text: str) -> tuple[int, int]:
    least, _, most = text.partition(":")
    try:
        pair = int(least), int(most or least)
    except ValueError:
        pair = (0, 0)
    if not 1 <= pair[0] <= pair[1]:
        raise argparse.ArgumentTypeError(f"expected N or LEAST:MOST, got {text!r}")
    return pair


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser(
        "serve",
        "Serve a finished run by HTTP: POST pictures to /v1/predict, as files of a form or as "
        "the body.\nAnswers are those of kerasfaces predict. /healthz, /readyz, /metrics and "
        "/openapi.json are there, too.\nSIGTERM or Ctrl-C: what was accepted is answered, then "
        f"it ends. A token is read from {TOKEN} or --token-file.",
        [
            "kerasfaces serve RUN",
            "kerasfaces serve RUN --port 9000 --no-stability",
            "curl -F file=@photo.jpg http://127.0.0.1:8000/v1/predict",
            "curl --data-binary @photo.jpg -H 'Content-Type: image/jpeg' "
            "'http://127.0.0.1:8000/v1/predict?quick=true'",
            "kerasfaces serve RUN --engine ray --replicas 1:4",
        ],
    )
    add = cli.Options(parser)
    text = "run folder made by train, a winner, or hf://OWNER/NAME[@REVISION]"
    add("run", metavar="RUN", help=text)
    add("--host", default="127.0.0.1", help="default: 127.0.0.1, this machine alone")
    add.number("--port", 8000, "default: 8000; 0 takes a free one", None)
    add.path("--token-file", "holds the token of requests", "FILE")
    text = "what computes; default: auto, the first that is there"
    add.choice("--runtime", "auto", ("auto", "onnxruntime", "openvino", "keras"), text)
    text = "do not load Keras, which decides near the threshold: unsure instead"
    add.no("keras", text)
    add("--faces", default="image", choices=("image", "largest", "each"))
    add.no("stability", "judge no laundered versions unless a request asks for it")
    cli.add_engine(parser)
    add(
        "--replicas",
        type=_replicas,
        default=(1, 1),
        metavar="N|LEAST:MOST",
        help="with --engine ray; default: 1",
    )
    add = cli.Options(parser.add_argument_group("limits"))
    add.number("--body-mb", 20, "of a request; default: 20", "MB")
    add.number("--files", 32, "of a request; default: 32")
    add.number("--megapixels", 50, "of a picture; default: 50")
    add.number("--queue", 64, "pictures not yet answered; default: 64")
    add.number("--workers", None, "threads; default: two per core")
    add.number("--answer-s", 60.0, "until the answer; default: 60", "S")
    add.number("--body-s", 30.0, "until the body; default: 30", "S")
    return parser
