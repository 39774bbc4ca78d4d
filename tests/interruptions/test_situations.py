"""A signal in every situation: the process ends in time, with all it started."""

import signal
from pathlib import Path

import pytest
from processes import check_interrupted
from situations import SITUATIONS

SCRIPT = Path(__file__).with_name("situations.py")
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.mark.parametrize("group", [False, True], ids=["alone", "group"])
@pytest.mark.parametrize("name", SITUATIONS)
def test_it_ends_at_once(name, group, start, tmp_path):
    started = {}
    for number in SIGNALS:
        folder = tmp_path / number.name
        started[number] = start([SCRIPT, name, folder / "ready"], folder)
    for number, one in started.items():
        one.wait_for(one.folder / "ready")
        check_interrupted(one, number, group)
        files = {each.name for each in one.folder.iterdir()}
        assert files <= {"out", "err", "ready", "slow_module.py", "__pycache__"}
