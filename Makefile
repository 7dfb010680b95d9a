# shellac: `make all` rebuilds the manuscript, `make test` checks everything. `make help` lists more.
PYTHON ?= python3
VENV ?= .venv
PROFILE ?=

BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# stages and notebooks find the tools of this environment first
export PATH := $(shell realpath -m '$(VENV)')/bin:$(PATH)
export SHELLAC_ROOT := $(CURDIR)
export DVC_NO_ANALYTICS := true
export PYTHONHASHSEED := 0

# the profile without training has stages of its own
GOAL = $$(grep -qx 'profile: pretrained' params.yaml && echo pretrained-manuscript)

.DEFAULT_GOAL := help
.PHONY: help setup all test lint bench faults verify clean workspace

help:  ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## */  make \1\t/' | expand -t 16
	@echo
	@echo "  PROFILE=demo|folder|pretrained|full  rewrite params.yaml first    PYTHON=python3  VENV=.venv"

setup: $(STAMP)  ## install the locked environment and this package

$(STAMP): requirements.lock.txt code/pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "shellac needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e code
	touch $(STAMP)

# outside a git repository DVC must be told so, once
workspace:
	@test "$$(git rev-parse --show-toplevel 2>/dev/null)" = "$(CURDIR)" \
		|| test -e .dvc/config.local \
		|| printf '[core]\n    no_scm = true\n' > .dvc/config.local

all: setup workspace  ## run the pipeline and typeset manuscript/output/manuscript.pdf
	$(if $(PROFILE),shellac profile $(PROFILE))
	dvc repro --quiet $(GOAL)
	shellac manuscript --stamp

# a process to a core; threads that wait leave theirs to the other processes
test: setup  ## run every test
	cd code && OMP_WAIT_POLICY=passive python -m pytest -n logical --maxprocesses 8 --dist loadfile --no-loadscope-reorder

lint: setup  ## check style and formatting
	cd code && ruff check . ../notebooks && ruff format --check . ../notebooks

faults: setup  ## break everything on purpose, at length: bad input, kills, full disks
	cd code && SHELLAC_FAULTS=long python -m pytest tests/faults

bench: setup  ## measure speed, each figure as a ratio within one run
	python code/benchmarks/run.py

verify: setup  ## compare this run's outputs with the lock and with the commit
	shellac verify

clean:  ## remove what is quickly rebuilt; data, trained models and the environment stay
	rm -rf manuscript/output code/.pytest_cache code/.ruff_cache .ruff_cache code/.hypothesis
	find code notebooks -name __pycache__ -type d -prune -exec rm -rf {} +
