"""A signal in every situation: the process ends in time, with all it started."""

import itertools
import signal
from pathlib import Path

import pytest
from processes import check_interrupted
from situations import SITUATIONS

SCRIPT = Path(__file__).with_name("situations.py")
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
# Elsewhere the group is the process alone, and a signal for it is the same one.
OF_SEVERAL_PROCESSES = {
    "with_worker_processes",
    "starting_worker_processes",
    "with_children_that_ignore_signals",
    "after_a_forked_process_was_told_to_end",
}
# Those that only wait are interrupted at the same time.
TOGETHER = {
    "the_main_thread_in_native_code": [
        "in_native_code",
        "while_stderr_is_held_back",
        "importing",
        "ending",
    ]
}
ALONE = [n for n in SITUATIONS if n not in itertools.chain(*TOGETHER.values())]


@pytest.mark.parametrize("name", [*TOGETHER, *ALONE])
def test_it_ends_at_once(name, start, tmp_path):
    started = []
    for each in TOGETHER.get(name, [name]):
        groups = [False, True] if each in OF_SEVERAL_PROCESSES else [False]
        for number, group in itertools.product(SIGNALS, groups):
            folder = tmp_path / each / f"{number.name}-{group}"
            process = start([SCRIPT, each, folder / "ready"], folder)
            started.append((process, number, group))
    for process, number, group in started:
        process.wait_for(process.folder / "ready")
        process.interrupt(number, group)
    for process, number, _ in started:
        check_interrupted(process, number)
        files = {each.name for each in process.folder.iterdir()}
        assert files <= {"out", "err", "ready", "slow_module.py", "__pycache__"}
