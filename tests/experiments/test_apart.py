"""A job's own process: what it returns and raises arrives, and its death is a sentence."""

import os
from pathlib import Path

import pytest

from experiments.framework import apart, runner
from experiments.framework.launch import Job
from kerasfaces.core.errors import InputError, RunError

pytestmark = pytest.mark.tf


@pytest.fixture
def job(write_manifest):
    from kerasfaces import manifest as manifests

    context = runner.Context(
        manifest=manifests.read(write_manifest()),
        folder=Path("folder"),
        weights={},
        seeds=(0,),
    )
    return Job(name="systems", context=context, part=None, record=None, words=["all"])


def told(job):
    return {"pid": os.getpid(), "n": len(job.context.manifest)}, job.module.__name__


def mistaken(job):
    raise InputError(f"{job.name}: a mistake")


def killed(job):
    os._exit(9)


def test_what_it_returns_arrives(job):
    results, printed = apart.execute(job, told)
    assert results["pid"] != os.getpid()
    assert results["n"] == len(job.context.manifest)
    assert printed == "experiments.systems.experiment"


def test_what_it_raises_arrives_with_its_traceback(job):
    with pytest.raises(InputError) as caught:
        apart.execute(job, mistaken)
    assert str(caught.value) == "systems: a mistake"
    assert "in mistaken" in "".join(caught.value.__notes__)


def test_its_death_is_a_sentence(job):
    with pytest.raises(RunError, match=r"exit code 9\. .* continues"):
        apart.execute(job, killed)
