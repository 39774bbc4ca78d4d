"""The detector's process: images come in on stdin, lines of JSON go out on stdout.

Not for people: `FaceFinder` starts it.
"""

import json
import os
import sys

from kerasfaces.core import machine
from kerasfaces.faces import _protocol


def main() -> int:
    """Answer until the other side closes the pipe."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever else is printed must not stand among the answers
    machine.end_with(os.getppid())
    from kerasfaces.faces._detector import Detector

    detector = Detector()
    while (image := _protocol.read_image(sys.stdin.buffer)) is not None:
        try:
            answer: dict[str, object] = {"faces": detector.faces(image)}
        except Exception as error:  # noqa: BLE001 -- the parent says it
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer).encode() + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
