"""Whatever streams, terminal, home and limits are: the work is done, or one sentence."""

import dataclasses
import errno
import fcntl
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image

from kerasfaces import cli
from kerasfaces.core.files import write_json

ROOT = Path(__file__).parents[2]
# Not in latin-1, ascii or cp437: a dash, a letter, half of a file name in another code.
SOURCE = "gan–π"


@dataclasses.dataclass(frozen=True)
class World:
    """What a command finds around it."""

    stdin: str = "null"
    stdout: str = "pipe"
    stderr: str = "pipe"
    variables: tuple[tuple[str, str], ...] = ()
    limits: str = ""


@dataclasses.dataclass(frozen=True)
class Outcome:
    code: int
    stdout: str
    stderr: str


REDIRECTED = {
    "closed": "{n}>&-",
    "full": "{n}>/dev/full",
    "read-only": "{n}</dev/null",
    "pipe": "",
    "gone": "",
    "busy": "",
}


def run(world, *command, cwd, home=True):
    """Run `python -m kerasfaces.COMMAND` in a world."""
    shell = f'{world.limits} exec "$@" '
    shell += {"null": "</dev/null", "closed": "<&-"}[world.stdin]
    for number, state in ((1, world.stdout), (2, world.stderr)):
        shell += " " + REDIRECTED[state].format(n=number)
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "KERASFACES_CACHE": os.environ["KERASFACES_CACHE"],
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "HOME": str(cwd),
    }
    if not home:
        del environment["HOME"]
    pipes = {name: _pipe(getattr(world, name)) for name in ("stdout", "stderr")}
    process = subprocess.Popen(
        [
            *("bash", "-c", shell, "-", "env"),
            *(f"{name}={value}" for name, value in world.variables),
            *(sys.executable, "-m", *map(str, command)),
        ],
        cwd=cwd,
        env=environment,
        **{name: ends[1] for name, ends in pipes.items()},
    )
    read = {}
    threads = []
    for name, (inlet, outlet) in pipes.items():
        os.close(outlet)
        slow = getattr(world, name) == "busy"
        thread = threading.Thread(target=_collect, args=(inlet, slow, read, name))
        thread.start()
        threads.append(thread)
    code = process.wait(timeout=240)
    for thread in threads:
        thread.join()
    text = {name: part.decode("utf-8", "replace") for name, part in read.items()}
    return Outcome(code, text["stdout"], text["stderr"])


def _pipe(state):
    inlet, outlet = os.pipe()
    if state == "gone":
        os.close(inlet)
        inlet = None
    elif state == "busy":  # it takes nothing while it is full, instead of waiting
        flags = fcntl.fcntl(outlet, fcntl.F_GETFL)
        fcntl.fcntl(outlet, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    return inlet, outlet


def _collect(inlet, slow, read, name):
    read[name] = b""
    if inlet is None:
        return
    if slow:
        time.sleep(1.5)
    while part := os.read(inlet, 1 << 16):
        read[name] += part
    os.close(inlet)


def assert_no_traceback(outcome):
    assert "Traceback" not in outcome.stderr, outcome.stderr
    assert "Exception ignored" not in outcome.stderr, outcome.stderr


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Two sources with names that most encodings lack."""
    root = tmp_path_factory.mktemp("photos")
    for folder in ("real/camera", f"fake/{SOURCE}"):
        (root / folder).mkdir(parents=True)
        for number in range(2):
            grey = Image.new("RGB", (32, 32), (number * 90, len(folder) * 9, 7))
            grey.save(root / folder / f"{number}.png")
    return root


@pytest.fixture(scope="module")
def lists(tmp_path_factory):
    """Predictions of two detectors, the second with a name that most encodings lack."""
    root = tmp_path_factory.mktemp("lists")
    for at, name in enumerate(("ours", "théirs–π")):
        lines = ["path,label,source,split,score"]
        for number in range(24):
            label = "fake" if number % 2 else "real"
            split = "val" if number < 12 else "test"
            score = (number * 7 + at * 3) % 24 / 24
            lines.append(f"{number}.png,{label},{label}s,{split},{score}")
        (root / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root


STREAMS = st.sampled_from(["pipe", "closed", "full", "read-only", "gone", "busy"])
VARIABLES = st.fixed_dictionaries(
    {},
    optional={
        "PYTHONIOENCODING": st.sampled_from(["latin-1", "ascii", "cp437", "utf-8"]),
        "LC_ALL": st.sampled_from(["C", "POSIX", "tr_TR.ISO-8859-9", "nowhere"]),
        "PYTHONUTF8": st.sampled_from(["0", "1"]),
        "PYTHONUNBUFFERED": st.just("1"),
        "TERM": st.sampled_from(["dumb", "xterm-256color", "nonsense"]),
        "COLUMNS": st.sampled_from(["0", "1", "17", "1000000000", "many"]),
        "NO_COLOR": st.just("1"),
        "PYTHONHASHSEED": st.sampled_from(["0", "1", "4294967295"]),
        "TMPDIR": st.just("/nowhere/at/all"),
    },
).map(lambda chosen: tuple(sorted(chosen.items())))
WORLDS = st.builds(
    World,
    stdin=st.sampled_from(["null", "closed"]),
    stdout=STREAMS,
    stderr=STREAMS,
    variables=VARIABLES,
)


def expected_code(world):
    return 2 if world.stdout in ("full", "read-only") else 0


def check_build(world, photos, folder):
    output = photos / "manifest.csv"
    output.unlink(missing_ok=True)
    outcome = run(
        world, "kerasfaces.manifest", "build", photos, "-o", output, cwd=folder
    )
    assert_no_traceback(outcome)
    assert outcome.code == expected_code(world), (world, outcome)
    if world.stdout in ("pipe", "busy"):
        assert "wrote" in outcome.stdout
    elif world.stdout in ("full", "read-only") and world.stderr == "pipe":
        assert "error: The results could not be printed" in outcome.stderr
    lines = output.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 5
    assert sum(f",{SOURCE}," in line for line in lines) == 2


def check_compare(world, lists, folder, reference):
    outcome = run(
        world,
        "kerasfaces.compare",
        *sorted(lists.glob("*.csv")),
        "-o",
        folder / "table",
        cwd=folder,
    )
    assert_no_traceback(outcome)
    assert outcome.code == expected_code(world), (world, outcome)
    assert (folder / "table" / "compare.json").read_bytes() == reference


FEW = {
    "deadline": None,
    "phases": [Phase.generate],  # an example takes a second: none to find a smaller one
    "derandomize": True,
    "database": None,
    "suppress_health_check": list(HealthCheck),
}


@settings(max_examples=5, **FEW)
@given(world=WORLDS)
def test_a_manifest_is_built_whatever_the_streams_are(world, photos, tmp_path_factory):
    check_build(world, photos, tmp_path_factory.mktemp("any"))


@pytest.mark.slow
@settings(max_examples=60, **FEW)
@given(world=WORLDS)
def test_sixty_worlds(world, photos, tmp_path_factory):
    check_build(world, photos, tmp_path_factory.mktemp("any"))


@pytest.mark.parametrize(
    "world",
    [
        World(stdout="closed", stderr="closed", stdin="closed"),
        World(variables=(("PYTHONIOENCODING", "ascii"),)),
        World(stdout="full"),
    ],
    ids=lambda world: f"{world.stdout}-{dict(world.variables)}",
)
def test_detectors_are_compared_whatever_the_streams_are(
    world, lists, tmp_path, comparison
):
    check_compare(world, lists, tmp_path, comparison)


@pytest.fixture(scope="module")
def comparison(lists, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERASFACES_CACHE", str(folder / "cache"))
        done = run(
            World(),
            "kerasfaces.compare",
            *sorted(lists.glob("*.csv")),
            "-o",
            folder / "table",
            cwd=folder,
        )
    assert done.code == 0, done
    return (folder / "table" / "compare.json").read_bytes()


def test_a_pipe_that_takes_nothing_for_a_while_gets_all_of_it(tmp_path):
    """More than a pipe holds, into one that does not wait for its reader."""
    lines = [f"{'x' * 40}{number}.png,real,camera" for number in range(3000)]
    table = tmp_path / "m.csv"
    table.write_text("\n".join(["path,label,source", *lines]) + "\n")
    outcome = run(
        World(stdout="busy"), "kerasfaces.manifest", "check", table, cwd=tmp_path
    )
    assert_no_traceback(outcome)
    assert outcome.code == 1
    assert outcome.stdout.count(".png") >= 3000


@pytest.mark.parametrize("columns", ["0", "1", "13", "1000000000"])
@pytest.mark.parametrize("stage", ["manifest", "train", "channels", "predict"])
def test_help_fits_any_width(columns, stage, monkeypatch, capsys):
    import importlib

    monkeypatch.setenv("COLUMNS", columns)
    module = importlib.import_module(f"kerasfaces.cli.{stage}")
    with pytest.raises(SystemExit) as stop:
        module.main(["--help"])
    assert stop.value.code == 0
    assert "examples:" in capsys.readouterr().out


LIMITS = st.one_of(
    st.integers(5, 24).map(lambda n: f"ulimit -n {n};"),
    st.just("ulimit -f 0;"),
)


@settings(max_examples=3, **FEW)
@given(limits=LIMITS)
def test_a_limit_is_one_sentence_or_no_hindrance(limits, photos, tmp_path_factory):
    check_limit(limits, photos, tmp_path_factory.mktemp("limit"))


@pytest.mark.slow
@settings(max_examples=30, **FEW)
@given(limits=LIMITS)
def test_thirty_limits(limits, photos, tmp_path_factory):
    check_limit(limits, photos, tmp_path_factory.mktemp("limit"))


def check_limit(limits, photos, folder):
    output = photos / "limited.csv"
    output.unlink(missing_ok=True)
    outcome = run(
        World(limits=limits),
        "kerasfaces.manifest",
        "build",
        photos,
        "-o",
        output,
        cwd=folder,
    )
    assert_no_traceback(outcome)
    assert outcome.code in (0, 2), outcome
    assert output.exists() == (outcome.code == 0)
    if outcome.code == 2:
        assert outcome.stderr.count("error: ") == 1
        assert "ulimit" in outcome.stderr.splitlines()[-1]


WITHOUT_ROOM = [
    World(limits="ulimit -n 40;"),
    World(limits="ulimit -n 25;"),
    World(limits="ulimit -f 20;"),
    World(variables=(("HOME", "/proc"), ("KERASFACES_CACHE", ""))),
]


@pytest.mark.slow
@pytest.mark.parametrize("world", WITHOUT_ROOM, ids=str)
def test_training_and_its_kin_are_one_sentence_or_done(world, tmp_path):
    sample, trained = tmp_path / "s", tmp_path / "run"
    table = sample / "manifest.csv"
    made = run(
        World(), "kerasfaces.sample", "-o", sample, "--pairs", "40", cwd=tmp_path
    )
    assert made.code == 0, made.stderr
    small = ("--model", "two_layer_cnn", "--set", "epochs=1")
    small = (*small, "--set", "model.size_px=32")
    train = ("kerasfaces.train", "--manifest", table, *small, "-o")
    assert run(World(), *train, trained, cwd=tmp_path).code == 0
    pixels = ("--channels", "rgb,spectrum", "--set", "spectrum.of=rgb")
    channels = ("kerasfaces.channels", table, *pixels, "-o", tmp_path / "store")
    predict = ("kerasfaces.predict", trained, sample / "real")
    for command in ((*train, tmp_path / "again"), channels, predict):
        variables = (("KERASFACES_CACHE", str(tmp_path / "c")), *world.variables)
        there = dataclasses.replace(world, variables=variables)
        outcome = run(there, *command, cwd=tmp_path)
        assert_no_traceback(outcome)
        assert outcome.code in ((0, 2) if command != predict else (0, 2, 3, 4)), outcome
        if outcome.code == 2:
            assert outcome.stderr.count("error: ") == 1
            assert outcome.stderr.splitlines()[-1].startswith("error: ")
            advised = world.limits[:9] or "KERASFACES_CACHE"
            assert advised in outcome.stderr.splitlines()[-1]


SYSTEM = {
    errno.ENOSPC: "free some room",
    errno.EDQUOT: "quota",
    errno.EFBIG: "ulimit -f",
    errno.EMFILE: "ulimit -n",
    errno.ENFILE: "whole system",
    errno.EIO: "drive",
    errno.ESTALE: "mount",
    errno.ENOMEM: "end other programs",
    errno.EROFS: "can be written",
    errno.EAGAIN: "ulimit -u",
}


@pytest.mark.parametrize("code", SYSTEM, ids=errno.errorcode.get)
@pytest.mark.parametrize("at", ["fsync", "replace", "open"])
def test_a_write_that_the_system_refuses_is_one_sentence(
    code, at, tmp_path, monkeypatch, capsys
):
    def refused(*_, **__):
        raise OSError(code, os.strerror(code))

    path = tmp_path / "result.json"
    place = {
        "fsync": (os, "fsync"),
        "replace": (Path, "replace"),
        "open": (Path, "open"),
    }
    monkeypatch.setattr(*place[at], refused)
    with pytest.raises(SystemExit) as stop:
        cli.run(lambda _: write_json(path, {}) or 0, [])
    told = capsys.readouterr().err
    assert stop.value.code == 2
    assert SYSTEM[code] in told
    assert str(path) in told
    assert told.count("\n") == 1
    assert not path.exists()


def _wrapped(error):
    try:
        raise OSError(errno.ENOSPC, "No space left on device", "x.h5")
    except OSError as cause:
        raise error from cause


@pytest.mark.parametrize(
    ("raises", "words"),
    [
        (lambda: _wrapped(ValueError("Unable to flush")), r"while writing x\.h5"),
        (lambda: (_ for _ in ()).throw(MemoryError()), "Memory ran out"),
        (
            lambda: (_ for _ in ()).throw(RuntimeError("can't start new thread")),
            "ulimit -u",
        ),
        (
            lambda: (_ for _ in ()).throw(
                RuntimeError("Can't write data (errno = 5, error message = '?')")
            ),
            "Input/output error",
        ),
        (
            lambda: (_ for _ in ()).throw(
                ImportError("lib.so: cannot open shared object: Too many open files")
            ),
            "ulimit -n",
        ),
        (lambda: (_ for _ in ()).throw(OSError("a library's own words")), "own words"),
        (
            lambda: __import__("sqlite3").connect("/nowhere/at/all.sqlite"),
            "KERASFACES_CACHE",
        ),
    ],
)
def test_what_libraries_make_of_the_system_s_refusals(raises, words, capsys):
    import re

    with pytest.raises(SystemExit) as stop:
        cli.run(lambda _: raises(), [])
    told = capsys.readouterr().err
    assert stop.value.code == 2
    assert re.search(words, told), told
    assert told.count("\n") == 1
