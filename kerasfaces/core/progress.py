"""Progress: a bar on a terminal and in a notebook, a plain line now and then elsewhere."""

import importlib.util
import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

logger = logging.getLogger(__name__)
_PLAIN_PROGRESS_S = 10.0  # off a terminal: at most one line this often
Host = Callable[[int, str, str], AbstractContextManager[Callable[[int], None]]]
_hosts: list[Host] = []
_is_shown = True


def show_progress(shown: bool = True) -> None:
    """Show progress from now on, or none at all.

    Args:
        shown: Whether bars (and plain lines, where there is no terminal) appear.
    """
    global _is_shown
    _is_shown = shown


@contextmanager
def hosted_by(host: Host) -> Iterator[None]:
    """Let something else that draws on the terminal show all progress inside.

    Args:
        host: Called as `progress` is.
    """
    _hosts.append(host)
    try:
        yield
    finally:
        _hosts.pop()


@contextmanager
def progress(
    total: int, label: str, unit: str = "image"
) -> Iterator[Callable[[int], None]]:
    """Show progress: a bar on a terminal or in a notebook, plain lines elsewhere.

    Args:
        total: How many units there are in all.
        label: Name of the work, shown before the numbers.
        unit: One unit's name.

    Yields:
        A function that adds `n` finished units.
    """
    if not _is_shown:
        yield lambda n: None
        return
    if _hosts:
        with _hosts[-1](total, label, unit) as host_add:
            yield host_add
        return
    if sys.stderr.isatty() or _in_notebook():
        settings = {"desc": label, "unit": f" {unit}", "dynamic_ncols": True}
        with _bar()(total=total, **settings) as bar:
            yield lambda n: (bar.update(n), None)[1]
        return
    started = last = time.monotonic()
    done = 0

    def add(n: int) -> None:
        nonlocal done, last
        done += n
        now = time.monotonic()
        if now - last >= _PLAIN_PROGRESS_S:
            last = now
            each_s = (now - started) / done if done else float("nan")
            rate = (
                f"{1 / each_s:.0f} {unit}s/s"
                if each_s <= 1
                else f"{each_s:.1f} s/{unit}"
            )
            left_s = (total - done) * each_s
            logger.info(
                "%s: %d of %d, %s, %.0f s left", label, done, total, rate, left_s
            )

    yield add


def _in_notebook() -> bool:
    """Tell whether a notebook's kernel runs this; it is then imported already."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ == "ZMQInteractiveShell"


def _bar() -> Any:
    """Return tqdm's class: a widget in a notebook that has widgets, else a line of text."""
    if _in_notebook() and importlib.util.find_spec("ipywidgets"):
        from tqdm.notebook import tqdm as widget

        return widget
    from tqdm import tqdm

    return tqdm
