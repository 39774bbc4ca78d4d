"""Commands that no test leaves behind."""

import importlib

import pytest

pytest.register_assert_rewrite("processes")


@pytest.fixture
def start():
    """Start a command; whatever is left of it ends with the test."""
    processes = importlib.import_module("processes")
    every = []

    def begin(command, folder, **environment):
        folder.mkdir(exist_ok=True)
        every.append(processes.Started(command, folder, **environment))
        return every[-1]

    yield begin
    for each in every:
        each.kill()
