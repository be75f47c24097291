# What there is to do here. `make` alone lists it. Every target sets the environment up first, if need be.

# The Python to make .venv with; default: the first of python3, python3.13, python3.12, python3.11 that fits.
PYTHON ?=
# Test processes at a time.
JOBS ?= 2
# The webserver that `make screenshots` looks at; start it with `make dev`.
URL ?= http://127.0.0.1:3000

BIN := .venv/bin
# dg reports usage to its makers unless an instance says no; the instance that is shipped says no.
DG := VIRTUAL_ENV="$(CURDIR)/.venv" DAGSTER_HOME="$(CURDIR)/.venv/dagster" $(BIN)/dg

.DEFAULT_GOAL := help
.PHONY: help setup run next-batch dev test test-slow check lock reference screenshots clean

help:  ## list the targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

setup:  ## make .venv from requirements/lock.txt; does nothing when that is done
	@scripts/setup $(PYTHON)

run: setup  ## train the example's model on the first months, up to a staged version
	$(BIN)/training-assets example run

next-batch: setup  ## deliver the example's next month, and train on it
	$(BIN)/training-assets example next-batch

dev: setup  ## serve Dagster and MLflow on this machine
	$(BIN)/training-assets dev

test: setup  ## the tests that take minutes together
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "not slow and not browser"

test-slow: setup  ## the tests that take minutes each, kill processes or need a browser
	$(BIN)/python -m pytest -m "slow or browser"

check: setup  ## style, types, definitions and every defs.yaml
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@$(BIN)/python -c 'from pathlib import Path; from training_assets.instance.home import prepare; prepare(Path(".venv"))'
	$(DG) check yaml
	$(DG) check defs --no-check-yaml
	$(BIN)/python scripts/spec_reference.py --check

lock:  ## resolve the dependencies anew, as far as pyproject.toml asks (UPGRADE=--upgrade: all of them)
	PYTHON="$(or $(PYTHON),python3)" scripts/lock $(UPGRADE)

reference: setup  ## write docs/spec.md, every key of a defs.yaml, from the schema
	$(BIN)/python scripts/spec_reference.py

screenshots: setup  ## take the pictures in docs/ of a running `make dev`, with Debian's Chromium
	$(BIN)/python scripts/screenshots.py $(URL)

clean:  ## remove the environment and caches; what was trained stays (.training_assets/, landing/)
	rm -f .venv/bin/python  # first: what is left of an interrupted clean must not look whole
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis dist
	find training_assets training_assets_tests benchmarks examples scripts -name __pycache__ -prune -exec rm -rf {} +
