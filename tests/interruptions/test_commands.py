"""Interrupted at any moment, a command ends in time, and the same command continues."""

import shutil
import signal
import subprocess
import time
from itertools import cycle
from pathlib import Path

import commands
import numpy as np
import pytest
from processes import check_interrupted

from kerasfaces import rng

pytestmark = [pytest.mark.tf, pytest.mark.torch]
HERE = Path(__file__).parent
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Case:
    """One command: how it is started, what it comes to, how long it takes."""

    def __init__(self, words, start):
        self.words, self._start = words, start
        self.duration_s, self.result = 0.0, {}

    def begin(self, folder, start=None):
        """Start it in a folder, with a cache in there."""
        (folder / "o").mkdir(parents=True, exist_ok=True)
        begin = start or self._start
        return begin(self.words, folder, KERASFACES_CACHE=str(folder / "cache"))


@pytest.fixture(scope="session")
def inputs(tiny_images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    commands.write_inputs(folder, tiny_images)
    return folder


@pytest.fixture(scope="session")
def whole(inputs, tiny_images, tiny_weights, session_start, tmp_path_factory):
    """Return each command's case, after it ran from beginning to end."""
    cases = {}

    def get(name):
        if name in cases:
            return cases[name]
        run = get("train").folder / "o" if name == "predict" else None
        words = commands.arguments(name, inputs, tiny_weights, tiny_images, run)
        case = Case(["-m", f"kerasfaces.{name}", *words], session_start)
        case.folder = tmp_path_factory.mktemp(name)
        began = time.monotonic()
        started = case.begin(case.folder)
        assert started.wait() == 0, started.err()[-2000:]
        case.duration_s = time.monotonic() - began
        case.result = commands.results(name, case.folder / "o")
        cases[name] = case
        return case

    return get


def interrupt(case, folder, start, moment_s, number, group):
    """Interrupt a command after a while, earlier if it is so fast; True if it began."""
    started = case.begin(folder, start)
    try:
        code = started.process.wait(moment_s)
    except subprocess.TimeoutExpired:
        code = None
    if code == 0:  # faster than the first time: it is over
        shutil.rmtree(folder / "o")
        shutil.rmtree(folder / "cache", ignore_errors=True)
        return interrupt(case, folder, start, moment_s / 2, number, group)
    assert code is None, started.err()[-2000:]
    if moment_s < 1 and not started.err():  # perhaps Python itself is still starting
        ended = started.interrupt(number, group)
        assert ended in (-number, 128 + number)
        assert started.left() == {}
        return False
    check_interrupted(started, number, group)
    return True


def continued(case, name, folder, start):
    """Run the command to its end: the same results, nothing finished made again."""
    before = commands.finished(folder)
    started = case.begin(folder, start)
    assert started.wait() == 0, started.err()[-2000:]
    assert commands.results(name, folder / "o") == case.result
    after = commands.finished(folder)
    assert {path: after[path] for path in before} == before
    hidden = [path for path in folder.rglob(".*.tmp*")]
    assert hidden == []


@pytest.mark.parametrize("name", commands.NAMES)
def test_two_moments(name, whole, start, tmp_path):
    case = whole(name)
    moments = rng.generator(0, "moments", name).uniform([0.2, 0.5], [0.5, 0.9])
    for moment, number, group in zip(moments, SIGNALS[:2], (True, False), strict=True):
        moment_s = moment * case.duration_s
        assert interrupt(case, tmp_path, start, moment_s, number, group)
    continued(case, name, tmp_path, start)


@pytest.mark.slow
@pytest.mark.parametrize("name", commands.NAMES)
def test_forty_moments(name, whole, start, tmp_path):
    case = whole(name)
    moments = np.sort(rng.generator(1, "moments", name).uniform(0, 1, 40))
    every = cycle([(each, group) for each in SIGNALS for group in (True, False)])
    for at, (moment, (number, group)) in enumerate(zip(moments, every, strict=False)):
        folder = tmp_path / str(at // 4)  # four interruptions each
        interrupt(case, folder, start, moment * case.duration_s, number, group)
        if at % 4 == 3:
            continued(case, name, folder, start)
            shutil.rmtree(folder)


AIMED = [
    ("train", "stuck", "kerasfaces.train.prepare:Preparation._build"),
    ("train", "again", "kerasfaces.train.prepare:Preparation._build"),
    ("train", "stuck", "kerasfaces.features.engines:convert"),
    ("train", "stuck", "kerasfaces.train.fit:train"),
    ("tune", "stuck", "kerasfaces.tune.trainer:Trainer.train"),
    ("crossgen", "again", "kerasfaces.train.prepare:Preparation._build"),
    ("predict", "stuck", "kerasfaces.features.predict:load_model"),
    ("channels", "stuck", "kerasfaces.images:read_file"),
    ("channels", "stuck", "kerasfaces.channels.stage.worker:Worker.prepare"),
    ("channels", "stuck", "kerasfaces.channels.stage.worker:Worker.channels_of"),
    ("channels", "stuck", "kerasfaces.channels.spectrum:_halves"),
    ("channels", "stuck", "kerasfaces.store.checksums:of_array"),
]


@pytest.mark.parametrize(("name", "how", "target"), AIMED)
def test_in_native_code(name, how, target, whole, start, inputs, tmp_path):
    case = whole(name)
    words = [HERE / "aimed.py", tmp_path / "ready", how, target, name, *case.words[2:]]
    aimed = Case(words, start)
    started = aimed.begin(tmp_path)
    started.wait_for(tmp_path / "ready")
    check_interrupted(started, signal.SIGINT, group=True)
