# Everything runs from a fresh clone with Python 3.11 or newer, make, git and (for the page) Node 20.19 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv

.PHONY: run test test-slow check format lock bench ui clean

run: $(VENV)/.run ui
	$(BIN)/noria up

test: $(VENV)/.dev
	$(BIN)/pytest -m "not slow"

test-slow: $(VENV)/.dev
	$(BIN)/pytest -m slow

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/pyright

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(UV): locks/uv.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r locks/uv.txt
	touch $@

$(VENV)/.run: $(UV) locks/run.txt pyproject.toml
	$(UV) pip install --quiet --python $(VENV) --require-hashes -r locks/run.txt
	$(UV) pip install --quiet --python $(VENV) --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.dev: $(UV) locks/dev.txt pyproject.toml
	$(UV) pip install --quiet --python $(VENV) --require-hashes -r locks/dev.txt
	$(UV) pip install --quiet --python $(VENV) --no-deps --no-build-isolation -e .
	touch $@

COMPILE := $(UV) pip compile --quiet --generate-hashes --no-emit-index-url --no-annotate --no-header --universal --python-version 3.11

lock:
	echo 'uv>=0.9,<1' | $(COMPILE) - -o locks/uv.txt
	$(COMPILE) pyproject.toml locks/build.in --extra local --extra jobs -o locks/run.txt
	$(COMPILE) pyproject.toml locks/build.in --all-extras --group dev -c locks/run.txt -o locks/dev.txt

clean:
	rm -rf $(VENV) .noria dist
