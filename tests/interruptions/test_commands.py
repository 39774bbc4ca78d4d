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


def begin(words, folder, start):
    """Start a command in a folder of its own, which holds its cache too."""
    (folder / "o").mkdir(parents=True, exist_ok=True)
    return start(words, folder, KERASFACES_CACHE=str(folder / "cache"))


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
    """Return what a command comes to if nobody interrupts it."""

    @functools.cache
    def get(name):
        folder = tmp_path_factory.mktemp(name)
        began = time.monotonic()
        started = begin(["-m", "kerasfaces", *words_of(name)], folder, session_start)
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
    if code is None and (moment_s > 1 or started.err()):
        is_over = not check_interrupted(started, number, group, may_be_over=True)
    elif code is None:  # perhaps Python itself is still starting
        assert started.interrupt(number, group) in (-number, 128 + number)
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
    words, known = ["-m", "kerasfaces", *words_of(name)], whole(name)
    moments = rng.generator(0, "moments", name).uniform([0.2, 0.5], [0.5, 0.9])
    for moment, number, group in zip(moments, SIGNALS[:2], (True, False), strict=True):
        moment_s = moment * known.duration_s
        interrupt(words, tmp_path, start, moment_s, number, group)
    check_continued(words, name, tmp_path, start, known.result)


@pytest.mark.slow
@pytest.mark.parametrize("name", commands.NAMES)
def test_forty_moments(name, whole, words_of, start, tmp_path):
    words, known = ["-m", "kerasfaces", *words_of(name)], whole(name)
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
    ("name", "how", "target"),
    [*AIMED, *[pytest.param(*each, marks=pytest.mark.slow) for each in AIMED_SLOWLY]],
)
def test_in_native_code(name, how, target, words_of, start, tmp_path):
    """Its own thread or the main one is in a native library, and does not come back."""
    words = [HERE / "aimed.py", tmp_path / "ready", how, target, *words_of(name)]
    started = begin(words, tmp_path, start)
    started.wait_for(tmp_path / "ready")
    check_interrupted(started, signal.SIGINT, group=True)
