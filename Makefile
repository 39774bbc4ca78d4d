# setup · train · test · check · docs · smoke · bench; everything happens in .venv
PYTHON ?= python3.11
VENV := .venv
RUN := $(VENV)/bin/python
.DEFAULT_GOAL := help

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(VENV)/.installed: setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --upgrade pip
	$(RUN) -m pip install --quiet -c constraints.txt -e '.[all,dev]'
	@touch $@

setup: $(VENV)/.installed  ## install everything into .venv

train: setup  ## train on the built-in sample and write the report
	$(RUN) -m kerasfaces.train

# A process per core; each file's tests stay together, because they share what they made.
PARALLEL := -n logical --maxprocesses 4 --dist loadfile

test: setup  ## run the tests (some minutes)
	$(RUN) -m pytest -q $(PARALLEL)

test-all: setup  ## run every test, slow ones, those on real faces and the tutorials included
	$(RUN) -m pytest -q -m "not gpu and not network" $(PARALLEL) tests docs/tutorials

docs: setup  ## build the documentation into site/
	$(RUN) -m mkdocs build --quiet

check: setup  ## style and types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

format: setup  ## format the code
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

smoke: setup  ## every command once, on a few images
	$(RUN) -m pytest -q -m "" tests/test_smoke.py

bench: setup  ## measure the speed promises; writes benchmarks/results.json
	$(RUN) -m benchmarks

.PHONY: help setup train test test-all docs check format smoke bench
