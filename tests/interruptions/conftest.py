"""Commands that no test leaves behind."""

import importlib

import pytest

pytest.register_assert_rewrite("processes")


def starting():
    """Yield what starts a command; whatever is left of them is killed at the end."""
    processes = importlib.import_module("processes")
    every = []

    def begin(command, folder, **environment):
        folder.mkdir(parents=True, exist_ok=True)
        every.append(processes.Started(command, folder, **environment))
        return every[-1]

    yield begin
    for each in every:
        each.kill()


@pytest.fixture
def start():
    """Start a command that ends with the test."""
    yield from starting()


@pytest.fixture(scope="session")
def session_start():
    """Start a command whose result several tests look at."""
    yield from starting()
