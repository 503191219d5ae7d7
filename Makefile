# Everything runs from a fresh clone with Python 3.11 or newer, make, git and Node 20.19 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
PAGE := src/noria/server/static/index.html
PAGE_SOURCES := $(shell find ui/src ui/public ui/index.html ui/package.json ui/vite.config.ts ui/openapi.json -type f)

.PHONY: run test test-slow test-choices check format lock bench ui openapi clean

run: $(VENV)/.run $(PAGE)
	$(BIN)/noria up

test: $(VENV)/.dev $(PAGE)
	$(BIN)/pytest -m "not slow" -n 2 --dist loadfile

test-slow: $(VENV)/.dev $(PAGE)
	NORIA_CHOICE_QUESTIONS=40 $(BIN)/pytest -m slow

# All 200 questions of the comparison with lm-eval, of which test-slow asks 40: half an hour on one core.
test-choices: $(VENV)/.dev
	$(BIN)/pytest -m slow tests/e2e/test_evals_choice.py -s

check: $(VENV)/.dev ui/node_modules/.ok
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/pyright
	$(BIN)/python -m noria.server.api.document | diff -q - ui/openapi.json
	cd ui && npm run --silent check

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

openapi: $(VENV)/.dev
	$(BIN)/python -m noria.server.api.document > ui/openapi.json

ui: $(PAGE)

ui/node_modules/.ok: ui/package-lock.json
	cd ui && npm ci --no-audit --no-fund --loglevel=error
	touch $@

$(PAGE): ui/node_modules/.ok $(PAGE_SOURCES)
	cd ui && npm run --silent build
	touch $@

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

# All but `pii`, whose spaCy would double what the tests install.
LOCKED := curate data evals importers jobs local objects oidc optimize postgres studies trace valkey

RUN := curate evals jobs local optimize studies

lock:
	echo 'uv>=0.9,<1' | $(COMPILE) - -o locks/uv.txt
	$(COMPILE) pyproject.toml locks/build.in $(LOCKED:%=--extra %) --group dev -o locks/dev.txt
	$(COMPILE) pyproject.toml locks/build.in $(RUN:%=--extra %) -c locks/dev.txt -o locks/run.txt

bench: $(VENV)/.dev $(PAGE)
	$(BIN)/python bench/gateway.py
	$(BIN)/python bench/latency.py
	$(BIN)/python bench/start.py
	$(BIN)/python bench/engine.py
	$(BIN)/python bench/ingest.py
	$(BIN)/python bench/span_store.py

clean:
	rm -rf $(VENV) .noria dist ui/node_modules src/noria/server/static
