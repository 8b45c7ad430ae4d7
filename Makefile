# Taktura's tasks. Plain `make` lists them.

.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help install setup run test test-server lint format messages bench soak docs clean

help: ## List the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The environment the product runs in: made anew when the lock file changes.
$(VENV)/.run: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Python 3.11 or newer with venv is needed. On Debian: apt-get install python3 python3-venv"; exit 1; }
	@test -x $(BIN)/python || { echo "Making the environment $(VENV) …"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing what requirements.lock names …"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

# What tests and checks need besides.
$(VENV)/.dev: $(VENV)/.run requirements-dev.lock requirements-rules.lock
	@echo "Installing what requirements-dev.lock names …"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --require-hashes --no-deps --upgrade --target $(VENV)/rules -r requirements-rules.lock
	@touch $@

# The translations, compiled for the running product.
PO := $(wildcard taktura/locale/*/LC_MESSAGES/django.po)
$(VENV)/.messages: $(VENV)/.run $(PO)
	@$(BIN)/python -m tools.messages --compile
	@touch $@

install: $(VENV)/.run $(VENV)/.messages ## Set up what the product needs to run, and no more

setup: $(VENV)/.dev $(VENV)/.messages ## Set everything up, without running anything

run: $(VENV)/.run $(VENV)/.messages ## Start the product with its demo company
	@$(BIN)/taktura run

test: lint $(VENV)/.messages ## Run every check and every test
	@$(BIN)/python -m tools.chromium
	@$(BIN)/pytest -n auto --dist worksteal

test-server: $(VENV)/.dev $(VENV)/.messages ## Run the database's tests on Debian's PostgreSQL instead of the embedded one
	@$(BIN)/python tools/test_server.py

lint: $(VENV)/.dev ## Check style, types, layers and the house's own rules
	@$(BIN)/ruff format --check --quiet . || { echo "Not formatted: run make format"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy taktura tools bench clients
	@$(BIN)/lint-imports --no-logo 2>&1 | tail -n 2
	@$(BIN)/lint-imports > /dev/null
	@$(BIN)/python -m tools.house

format: $(VENV)/.dev ## Format the code
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format --quiet .

messages: $(VENV)/.dev ## Collect the messages to be translated, and compile the translations
	@$(BIN)/python -m tools.messages

bench: $(VENV)/.dev ## Measure speed against limits taken in the same run
	@$(BIN)/python -m bench

soak: $(VENV)/.dev ## Run the long tests: 20,000 histories, 500 of them through the services, 10,000 mutilated files, 30 imports killed, all misfits in all forms
	@TAKTURA_HISTORIES=20000 $(BIN)/pytest -n auto tests/core
	@TAKTURA_SERVICE_HISTORIES=500 $(BIN)/pytest -n auto tests/scenarios/test_histories.py
	@TAKTURA_MUTILATED=10000 $(BIN)/pytest -n auto tests/rooms/test_imports.py -k mutilated
	@TAKTURA_KILLS=30 $(BIN)/pytest -n auto tests/rooms/test_killed_imports.py
	@TAKTURA_ALL_MISFITS=1 $(BIN)/pytest -n auto tests/pages/test_attacks.py -k does_not_fit

docs: $(VENV)/.dev ## Build the manual into site/
	@$(BIN)/mkdocs build --strict > /dev/null 2>&1
	@echo "The manual is in site/index.html"

clean: ## Stop the databases and remove environment and caches; the data in var/ stays
	@test ! -x $(BIN)/taktura || $(BIN)/taktura stop || true
	@rm -rf $(VENV) build site *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
