# All of this works on a machine that has Python 3.11 or newer, git and make, and nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
# A mark of what is installed: made again when what it depends on has changed.
INSTALLED := $(VENV)/.installed

.PHONY: demo up test lint format interface bench stress crash clean help

help: ## show what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(INSTALLED): pyproject.toml constraints.txt
	@echo "Installing what it takes into $(VENV); that is done once, and may take a minute."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(INSTALLED) ## run real scripts through Tango and the oet command, and show what an operator sees
	@$(BIN)/python -m oet_devices.demo

up: $(INSTALLED) ## run everything on the default ports until Ctrl-C
	@$(BIN)/oet-stack

test: $(INSTALLED) ## run all tests
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(INSTALLED) ## check style, types and imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy src devices tests
	@$(BIN)/lint-imports --no-logo

format: $(INSTALLED) ## put the code into its style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

interface: $(INSTALLED) ## write the files that describe the interfaces: Pogo model, properties, OpenAPI
	@$(BIN)/python -m oet_devices.interface_files

bench: $(INSTALLED) ## measure against bare Tango, in one run
	@$(BIN)/python -m tests.benchmarks $(BENCH_ARGS)

stress: $(INSTALLED) ## run thousands of procedures, and kill, stop and start them at random
	@$(BIN)/python -m tests.stress $(STRESS_ARGS)

crash: $(INSTALLED) ## kill the device server at random, and compare what clients saw with what it remembers
	@$(BIN)/python -m tests.crash $(CRASH_ARGS)

clean: ## remove what was installed and what the tools have left
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis dist build
