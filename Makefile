# The commands of this project. `make run` to try it, `make test` to check it; both may be run again at any time.
.DEFAULT_GOAL := help
.PHONY: help setup run test check unit lock format bench bench-short bench-sip screenshots texts clean

SHELL := /bin/sh
BIN := .venv/bin

help: ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

TEXTS := gateway/console/translations/zh/LC_MESSAGES/messages

setup: .venv/.complete $(TEXTS).mo ## Create .venv, locked, for running and developing
	@# Whoever may not write here would have it compiled anew at every start.
	@$(BIN)/python -m compileall -q gateway

$(TEXTS).mo: $(TEXTS).po .venv/.complete
	@$(BIN)/pybabel -q compile -i $< -o $@ -l zh

.venv/.complete: pyproject.toml uv.lock scripts/uv package-lock.json scripts/fetch-assets
	scripts/uv sync --frozen --quiet --compile-bytecode
	$(BIN)/python scripts/fetch-assets
	@touch $@

run: setup ## Load the demo and serve it on 127.0.0.1:8080
	@$(BIN)/notice-gateway demo
	@exec $(BIN)/notice-gateway serve

test: setup ## Run every check and test; installs the Debian packages that tests need
	scripts/install-test-packages
	@$(MAKE) --no-print-directory -j2 check-style check-types bench-short
	@$(MAKE) --no-print-directory unit

check: check-style check-types ## Formatting, lint, types and import contracts

.PHONY: check-style check-types
check-style: setup
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/lint-imports --no-cache >/dev/null || $(BIN)/lint-imports --no-cache
	@! grep -nE 'https?://' uv.lock | grep -vE 'https://(pypi\.org/simple|files\.pythonhosted\.org/)' \
	  || { echo "uv.lock names something other than the public index"; exit 1; }
	@! grep -n '"resolved"' bench/peers/node/package-lock.json | grep -v '"https://registry\.npmjs\.org/' \
	  || { echo "bench/peers/node/package-lock.json names something other than the public registry"; exit 1; }

check-types: setup
	$(BIN)/mypy

# Tests of how soon a call connects, or of calls that give up after half a second: they run beside less.
BY_THE_CLOCK := tests/sip tests/providers/sip/bridge tests/end_to_end/test_postgres_outage.py \
	tests/workflows/test_rotation_online.py tests/test_lingering.py

# A test module is taken apart for its assertions once, and not by every process of every run.
unit: export PYTHONDONTWRITEBYTECODE =
unit: setup
	TMPDIR=$$(scripts/folder-for-tests) $(BIN)/pytest -n 3 --dist worksteal -q $(BY_THE_CLOCK:%=--ignore=%)
	$(BIN)/pytest -n 2 --dist loadfile -q $(BY_THE_CLOCK)

bench: setup ## Measure against peers; writes bench/RESULTS.md and bench/charts
	scripts/install-test-packages --with-node
	npm ci --prefix bench/peers/node --ignore-scripts --no-audit --no-fund --loglevel error
	$(BIN)/python bench/run.py

bench-sip: setup ## Measure the SIP path; renews its section of bench/RESULTS.md
	scripts/install-test-packages
	$(BIN)/python bench/sip.py

bench-short: setup
	$(BIN)/python bench/run.py --short

format: setup ## Format and mend what ruff can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: ## Renew uv.lock
	scripts/uv lock

screenshots: setup ## Take the pictures in docs/pictures anew
	scripts/install-test-packages
	$(BIN)/python scripts/take-screenshots

texts: setup ## Collect the console's texts into the translations
	scripts/collect-texts

clean: ## Remove the environment and caches; data in var/ stays
	rm -rf .venv .tools .mypy_cache .pytest_cache .ruff_cache .hypothesis
