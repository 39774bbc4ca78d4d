"""Commands that no test leaves behind."""

import importlib

import pytest

pytest.register_assert_rewrite("processes")


def starting(request):
    """Yield what starts a command; whatever is left of them is killed at the end."""
    processes = importlib.import_module("processes")
    every = []

    def begin(command, folder, *, warm=False, **environment):
        folder.mkdir(parents=True, exist_ok=True)
        how = request.getfixturevalue("warm_python").start if warm else processes.fresh
        process = how(command, folder, **environment)
        every.append(processes.Started(process, folder))
        return every[-1]

    yield begin
    for each in every:
        each.kill()


@pytest.fixture
def start(request):
    """Start a command that ends with the test; `warm`: in a process that has Keras."""
    yield from starting(request)


@pytest.fixture(scope="session")
def session_start(request):
    """Start a command whose result several tests look at."""
    yield from starting(request)
