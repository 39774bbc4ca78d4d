"""Several processes on one study: the dead are replaced, the silent are not waited for."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kerasfaces.tune import records

pytestmark = [pytest.mark.tf, pytest.mark.slow]

STUDY = '''"""A test's study."""
import time
from kerasfaces.models.config import HeadConfig, ModelConfig
from kerasfaces.train.config import TrainConfig
from kerasfaces.tune.study import Study


def get_study():
    return Study(
        title="t", configure=configure, bases=("mobilenetv2",), oracle="random",
        max_trials=8, median_after=MEDIAN,
    )


def configure(hp, offer):
    rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log")
    PAUSE
    model = ModelConfig(
        size_px=32, taps=("block_1_expand_relu",), head=HeadConfig(units=(4,))
    )
    return TrainConfig(
        model=model, epochs=4, batch_size=16, learning_rate=rate, patience=None
    )
'''


@pytest.fixture
def words(tiny_manifest, tiny_weights, tmp_path):
    def write(pause_s=0.0, median=None):
        text = STUDY.replace("MEDIAN", str(median))
        # only trials wait, not the declaration of the space
        pause = (
            f"time.sleep({pause_s} if hp.values.get('learning_rate') != 1e-3 else 0)"
        )
        (tmp_path / "mine.py").write_text(text.replace("PAUSE", pause))
        return [
            *(str(tmp_path / "mine.py"), "--manifest", str(tmp_path / "manifest.csv")),
            *("--weights", str(tiny_weights), "-o", str(tmp_path / "o")),
        ]

    return write


def start(words, role=None, port=None):
    environment = dict(os.environ)
    if role:
        environment |= {
            "KERASTUNER_TUNER_ID": role,
            "KERASTUNER_ORACLE_IP": "127.0.0.1",
            "KERASTUNER_ORACLE_PORT": str(port),
        }
    return subprocess.Popen(
        [sys.executable, "-m", "kerasfaces.tune", *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(found, seconds=120.0):
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end
        time.sleep(0.05)


def running(folder):
    found = []
    for path in folder.glob("trial_*/trial.json"):
        if '"RUNNING"' in path.read_text():
            found.append(path.parent)
    return [p for p in found if not (p / "result.json").exists()]


def children(pid):
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
            command = (path.parent / "cmdline").read_text()
        except OSError:
            continue
        if int(fields[1]) == pid and "kerasfaces.tune" in command:
            found.append(int(path.parent.name))
    return found


def finished(folder):
    trials = records.load_all(folder)
    return {t.trial_id: t.hyperparameters.values for t in trials if t.score is not None}


def test_two_local_workers_one_killed(words, tmp_path):
    folder = tmp_path / "o"
    chief = start([*words(pause_s=1.0), "--workers", "2"])
    wait_for(lambda: len(running(folder)) == 2)
    os.kill(children(chief.pid)[0], signal.SIGKILL)
    out, log = chief.communicate(timeout=240)
    assert chief.returncode == 0, log
    assert "was killed by signal 9" in log
    assert "is handed out again" in log
    assert "winner: trial" in out
    both = finished(folder)
    assert len(both) == 8
    # one process chooses the same
    alone = start([*words()[:-1], str(tmp_path / "alone")])
    _, log = alone.communicate(timeout=240)
    assert alone.returncode == 0, log
    assert finished(tmp_path / "alone") == both


def test_the_chief_killed_with_its_workers_and_started_again(words, tmp_path):
    folder = tmp_path / "o"
    command = [*words(pause_s=0.5), "--workers", "2"]
    chief = start(command)
    wait_for(lambda: len(finished(folder)) >= 2 and running(folder))
    workers = children(chief.pid)
    chief.kill()
    chief.communicate()
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), 20)
    before = finished(folder)
    chief = start(command)
    _, log = chief.communicate(timeout=240)
    assert chief.returncode == 0, log
    assert len(finished(folder)) == 8
    assert before.items() <= finished(folder).items()


def test_keras_tuner_s_chief_and_two_workers_one_killed(words, tmp_path):
    folder, port = tmp_path / "o", free_port()
    command = words(pause_s=1.0, median=2)
    processes = [start(command, role, port) for role in ("chief", "w1", "w2")]
    wait_for(lambda: len(running(folder)) == 2)
    processes[1].kill()
    outs = [process.communicate(timeout=240) for process in processes]
    assert processes[0].returncode == 0, outs[0]
    assert processes[2].returncode == 0, outs[2]
    assert "no word from w1 for 15 s" in outs[0][1]
    assert len(finished(folder)) == 8


def test_nobody_answers(words, tmp_path):
    worker = start([*words(), "--timeout", "3"], "w1", free_port())
    _, log = worker.communicate(timeout=120)
    assert worker.returncode == 2
    assert "study.json did not appear within 3 s: start the chief" in log
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        chief = start([*words(), "--timeout", "3"], "chief", port)
        _, log = chief.communicate(timeout=120)
    assert chief.returncode == 2
    assert "cannot listen at 127.0.0.1" in log
    chief = start([*words(), "--timeout", "3"], "chief", free_port())
    _, log = chief.communicate(timeout=120)
    assert chief.returncode == 2
    assert "No worker was heard for 3 s; start one" in log
    worker = start([*words(), "--timeout", "3"], "w1", free_port())
    _, log = worker.communicate(timeout=120)
    assert worker.returncode == 2
    assert "did not answer within 3 s" in log
    assert log.count("error:") == 1


def test_a_worker_s_mistake_and_a_worker_s_defect_end_the_study(words, tmp_path):
    command = [*words(), "--workers", "2"]
    path = tmp_path / "mine.py"
    whole = path.read_text()
    # only in workers, after the chief has looked
    sick = "import os\n    if 'KERASTUNER_TUNER_ID' in os.environ: raise {}\n    rate ="
    defect = "MemoryError('ours')"  # no study's fault
    path.write_text(whole.replace("rate =", sick.format(defect), 1))
    chief = start(command)
    _, log = chief.communicate(timeout=120)
    assert chief.returncode == 2
    assert "stopped with an unexpected error" in log
    assert "MemoryError: ours" in log
    for mistake, sentence in (
        (
            "__import__('kerasfaces.core.errors').errors.RunError('Mend it.')",
            "Mend it.",
        ),
        ("ZeroDivisionError('mine')", "ZeroDivisionError: mine; mend the study"),
    ):
        path.write_text(whole.replace("rate =", sick.format(mistake), 1))
        chief = start(command)
        _, log = chief.communicate(timeout=120)
        assert chief.returncode == 2
        assert sentence in log.strip().splitlines()[-1]
        assert "Traceback" not in log
