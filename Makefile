# setup · train · test · check · docs · smoke · bench; everything happens in .venv
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
RUN := $(BIN)/python
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

# Each Python in an environment of its own, with the tested versions of everything.
PYTHONS := 3.11 3.12 3.13
test-pythons:  ## run the tests on every Python that is found here
	@for version in $(PYTHONS); do \
	    python$$version --version >/dev/null 2>&1 || { echo "python$$version: not found, not run"; continue; }; \
	    echo "python$$version"; \
	    $(MAKE) --no-print-directory test PYTHON=python$$version VENV=.venv-$$version || exit 1; \
	done

# uv chooses the oldest versions that setup.cfg allows. Without torch: of it there is one.
LOWEST := .venv-lowest
test-lowest:  ## run the tests on the oldest versions of the dependencies
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/pip install --quiet uv
	$(LOWEST)/bin/uv pip install --quiet --python $(LOWEST)/bin/python --resolution lowest-direct \
	    -e '.[fast,baselines,formats,tables,tensorboard,tune,export]'
	$(LOWEST)/bin/uv pip install --quiet --python $(LOWEST)/bin/python pytest pytest-xdist hypothesis
	$(LOWEST)/bin/python -m pytest -q $(PARALLEL) \
	    -o filterwarnings=default -m "not slow and not gpu and not network and not torch"

test-newest:  ## run the tests on the newest versions of the dependencies (torch stays)
	$(PYTHON) -m venv .venv-newest
	grep '^torch' constraints.txt > .venv-newest/torch.txt
	.venv-newest/bin/pip install --quiet -c .venv-newest/torch.txt -e '.[all,dev]'
	.venv-newest/bin/python -m pytest -q $(PARALLEL)

docs: setup  ## build the documentation into site/
	$(RUN) -m mkdocs build --quiet

check: setup  ## style, types, and that every test can be collected
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(RUN) -m pytest -q --collect-only -m "" > /dev/null

format: setup  ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

smoke: setup  ## every command once, on a few images
	$(RUN) -m pytest -q -m "" tests/cli/test_smoke.py

bench: setup  ## measure the speed promises; writes benchmarks/results.json
	$(RUN) -m benchmarks

.PHONY: help setup train test test-all test-pythons test-lowest test-newest docs check format smoke bench
