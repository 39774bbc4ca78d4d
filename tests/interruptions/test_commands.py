"""Interrupted at any moment, a command ends in time, and the same command continues."""

import dataclasses
import functools
import itertools
import shutil
import signal
import subprocess
import time
from pathlib import Path

import commands
import pytest
from processes import check_interrupted

from kerasfaces.core import rng

pytestmark = [pytest.mark.tf, pytest.mark.torch]
HERE = Path(__file__).parent
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclasses.dataclass(frozen=True)
class Whole:
    """A command that ran from beginning to end: what it came to, how long it took."""

    folder: Path
    duration_s: float
    result: dict[str, bytes]


def codes(name):
    return commands.CODES.get(name, (0,))


def begin(words, folder, start, **how):
    """Start a command in a folder of its own, which holds its cache too."""
    (folder / "o").mkdir(parents=True, exist_ok=True)
    return start(words, folder, KERASFACES_CACHE=str(folder / "cache"), **how)


@pytest.fixture(scope="session")
def words_of(tiny_images, tiny_weights, tmp_path_factory, request):
    """Return a command's name and arguments."""
    inputs = tmp_path_factory.mktemp("inputs")
    commands.write_inputs(inputs, tiny_images)

    def get(name):
        run = None
        if name in ("predict", "launder"):
            run = request.getfixturevalue("whole")("train").folder / "o"
        given = commands.arguments(name, inputs, tiny_weights, tiny_images, run)
        return [name, *given]

    return get


@pytest.fixture(scope="session")
def whole(words_of, session_start, tmp_path_factory):
    """Return what a command comes to if nobody interrupts it; `warm`: see `start`."""

    @functools.cache
    def get(name, warm=True):
        folder = tmp_path_factory.mktemp(name)
        words = ["-m", "kerasfaces", *words_of(name)]
        started = begin(words, folder, session_start, warm=warm)
        began = time.monotonic()  # the process to fork may have started, too
        assert started.wait() in codes(name), started.err()[-2000:]
        duration_s = time.monotonic() - began
        return Whole(folder, duration_s, commands.results(name, folder / "o"))

    return get


def interrupt(words, folder, start, moment_s, number, group):
    """Interrupt a command after a while; earlier, if it is over by then."""
    started = begin(words, folder, start)
    try:
        code = started.process.wait(moment_s)
    except subprocess.TimeoutExpired:
        code = None
        began = moment_s > 1 or started.err()
        started.interrupt(number, group)
    if code is None and began:
        is_over = not check_interrupted(started, number, may_be_over=True)
    elif code is None:  # perhaps Python itself is still starting
        assert started.ended() in (-number, 128 + number)
        assert started.left() == {}
        is_over = False
    else:
        assert code in codes(words[2]), started.err()[-2000:]
        is_over = True
    if is_over:
        shutil.rmtree(folder / "o")
        shutil.rmtree(folder / "cache", ignore_errors=True)
        interrupt(words, folder, start, moment_s / 2, number, group)


def check_continued(words, name, folder, start, result):
    """Run the command to its end: the same results, nothing finished made again."""
    before = commands.finished(folder)
    started = begin(words, folder, start)
    assert started.wait() in codes(name), started.err()[-2000:]
    assert commands.results(name, folder / "o") == result
    after = commands.finished(folder)
    assert {path: after[path] for path in before} == before
    assert list(folder.rglob(".*.tmp*")) == []


@pytest.mark.parametrize("name", commands.NAMES)
def test_two_moments(name, whole, words_of, start, tmp_path):
    """At moments of its work: Keras is there from the start."""
    words, known = ["-m", "kerasfaces", *words_of(name)], whole(name)
    warm = functools.partial(start, warm=True)
    moments = rng.generator(0, "moments", name).uniform([0.2, 0.5], [0.5, 0.9])
    for moment, number, group in zip(moments, SIGNALS[:2], (True, False), strict=True):
        moment_s = moment * known.duration_s
        interrupt(words, tmp_path, warm, moment_s, number, group)
    check_continued(words, name, tmp_path, warm, known.result)


def test_while_keras_is_imported(whole, words_of, start, tmp_path):
    """A fresh interpreter, with another hash seed, comes to the same results too."""
    words = ["-m", "kerasfaces", *words_of("train")]
    started = begin(words, tmp_path, start)
    library = "libtensorflow"
    started.wait_until(lambda: started.has_mapped(library), library)
    started.interrupt(signal.SIGHUP, group=True)
    check_interrupted(started, signal.SIGHUP)
    check_continued(words, "train", tmp_path, start, whole("train").result)


@pytest.mark.slow
@pytest.mark.parametrize("name", commands.NAMES)
def test_forty_moments(name, whole, words_of, start, tmp_path):
    words, known = ["-m", "kerasfaces", *words_of(name)], whole(name, warm=False)
    moments = rng.generator(1, "moments", name).uniform(0, 1, 40) * known.duration_s
    kinds = itertools.cycle(itertools.product(SIGNALS, (True, False)))
    for at, (moment_s, kind) in enumerate(zip(moments, kinds, strict=False)):
        folder = tmp_path / str(at // 4)  # four interruptions before each end
        interrupt(words, folder, start, moment_s, *kind)
        if at % 4 == 3:
            check_continued(words, name, folder, start, known.result)
            shutil.rmtree(folder)


AIMED = [
    ("train", "again", "kerasfaces.train.network_builder:NetworkBuilder._build"),
    ("channels", "stuck", "kerasfaces.images:read_file"),
    ("channels", "stuck", "kerasfaces.channels.worker:Worker.prepare"),
    ("channels", "stuck", "kerasfaces.channels.kinds.spectrum:_halves"),
    ("channels", "stuck", "kerasfaces.store.checksums:of_array"),
]
AIMED_SLOWLY = [
    ("train", "stuck", "kerasfaces.train.network_builder:NetworkBuilder._build"),
    ("train", "stuck", "kerasfaces.features.engines:convert"),
    ("train", "again", "kerasfaces.features.engines:convert"),
    ("train", "stuck", "kerasfaces.train.fit:train"),
    ("tune", "stuck", "kerasfaces.tune.trainer:Trainer.train"),
    ("crossgen", "again", "kerasfaces.train.network_builder:NetworkBuilder._build"),
    ("predict", "stuck", "kerasfaces.run.network:TrainedNetwork.load"),
    ("channels", "stuck", "kerasfaces.channels.worker:Worker.channels_of"),
]


@pytest.mark.parametrize(
    "aimed", [AIMED, pytest.param(AIMED_SLOWLY, marks=pytest.mark.slow)]
)
def test_in_native_code(aimed, words_of, start, tmp_path):
    """Its own thread or the main one is in a native library, and does not come back."""
    every = []
    for at, (name, how, target) in enumerate(aimed):
        folder = tmp_path / str(at)
        ready = folder / "ready"
        words = [HERE / "aimed.py", ready, how, target, *words_of(name)]
        every.append((begin(words, folder, start, warm=name != "channels"), ready))
    for started, ready in every:
        started.wait_for(ready)
        started.interrupt(signal.SIGINT, group=True)
    for started, _ in every:  # at the same time: they only wait
        check_interrupted(started, signal.SIGINT)
