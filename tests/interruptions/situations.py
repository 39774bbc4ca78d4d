"""A command in one of the situations in which a signal may find it.

Run as `python situations.py NAME READY`; the file READY appears once it is there.
"""

import atexit
import ctypes
import importlib
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kerasfaces import cli
from kerasfaces.core import engine
from kerasfaces.core.engine import Engine
from kerasfaces.core.files import atomic_path
from kerasfaces.core.imports import quiet

SITUATIONS = {}
CHILD = (
    "import signal, subprocess, sys, time\n"
    "for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):\n"
    "    signal.signal(each, signal.SIG_IGN)\n"
    "if sys.argv[1:]:\n"
    "    subprocess.Popen([sys.executable, '-c', sys.argv[1]])\n"
    "time.sleep(60)\n"
)


def situation(function):
    SITUATIONS[function.__name__] = function
    return function


def ready():
    Path(sys.argv[2]).touch()


def native():
    """Never come back from native code, whatever the signals."""
    lock = ctypes.create_string_buffer(64)  # a mutex nobody holds
    library = ctypes.CDLL(None)
    library.pthread_mutex_lock(lock)
    ready()
    library.pthread_mutex_lock(lock)


@situation
def computing():
    ready()
    while True:
        pass


@situation
def in_native_code():
    native()


@situation
def waiting_for_a_thread_in_native_code():
    thread = threading.Thread(target=native, daemon=True)
    thread.start()
    thread.join()


@situation
def beside_a_thread_in_native_code():
    threading.Thread(target=native).start()
    time.sleep(60)


@situation
def inside_an_executor():
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda _: native(), range(2)))


@situation
def where_exceptions_are_swallowed():
    ready()
    while True:
        try:
            time.sleep(0.05)
        except BaseException:  # noqa: BLE001
            continue


@situation
def in_a_finaliser():
    class Kept:
        def __del__(self):
            ready()
            time.sleep(60)

    Kept()
    time.sleep(60)


@situation
def in_a_finally():
    try:
        raise ValueError("first")
    finally:
        ready()
        time.sleep(60)


@situation
def holding_a_lock_twice():
    lock = threading.Lock()
    lock.acquire()
    ready()
    lock.acquire()


@situation
def writing_a_file():
    with atomic_path(Path(sys.argv[2]).with_name("result.csv")) as path:
        path.write_text("half")
        ready()
        time.sleep(60)


@situation
def with_worker_processes():
    with engine.pool(time.sleep, Engine(workers=2)) as pool:
        for number in range(8):
            pool.submit(number, 60)
        ready()
        pool.next()


@situation
def starting_worker_processes():
    ready()
    while True:
        list(engine.map(abs, range(4), spread=Engine(workers=2)))


@situation
def with_children_that_ignore_signals():
    child = subprocess.Popen([sys.executable, "-c", CHILD, CHILD])
    time.sleep(0.5)
    ready()
    child.wait()


@situation
def after_a_forked_process_was_told_to_end():
    child = os.fork()
    if not child:
        time.sleep(60)
    time.sleep(0.2)
    os.kill(child, signal.SIGTERM)
    assert os.waitpid(child, 0)[1] == signal.SIGTERM
    time.sleep(0.2)
    ready()
    time.sleep(60)


@situation
def while_stderr_is_held_back():
    with quiet():
        native()


@situation
def importing():
    folder = Path(sys.argv[2]).parent
    (folder / "slow_module.py").write_text("from __main__ import native\nnative()\n")
    sys.path.insert(0, str(folder))
    importlib.import_module("slow_module")


@situation
def ending():
    atexit.register(native)


@situation
def after_a_library_took_the_handlers():
    """Ray does so, for SIGTERM."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, lambda number, _: sys.exit(number))
    ready()
    time.sleep(60)


def main(argv=None):
    SITUATIONS[sys.argv[1]]()
    return 0


if __name__ == "__main__":
    cli.run(main)
