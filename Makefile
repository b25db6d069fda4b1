# Everything a person needs: `make demo`, `make test`, `make slow`, `make lint`, `make lock`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2
STAMP := $(VENV)/.installed

# Empty: Python keeps what it compiles.  The tests start hundreds of processes, and each would compile all of helpdesk again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test slow bench lint lock docs servers clean

help:
	@echo "make demo   two weeks of a support list in a minute or two; needs no server and no configuration"
	@echo "make test   everything that must hold, with real servers where they can be had"
	@echo "make slow   what takes longer: 10,000 interleavings, large mailboxes"
	@echo "make bench  speed and memory beside the peers, an hour or so; ARGS=\"quiet --messages 20000\" for less"
	@echo "make lint   types, style, the architecture"
	@echo "make docs   write the configuration reference from the settings again"
	@echo "make lock   pin the dependencies again"

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "helpdesk needs Python 3.11 or newer. Say where one is: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@echo "Installing into $(VENV), once: that takes a minute or two"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --use-pep517 --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP)
	@$(BIN)/helpdesk demo

# Dovecot through apt when we may; the tests say what they could not run.
servers:
	@deploy/install-test-servers

# JOBS processes share the files of the tests, one file at a time; each starts servers of its own and measures itself.
test: $(STAMP) servers lint
	@$(BIN)/coverage erase
	MEASURE=1 $(BIN)/pytest -m "not slow" --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder
	@$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

slow: $(STAMP) servers
	-@PYTHON=$(BIN)/python deploy/install-mailman
	-@deploy/install-arc
	$(BIN)/pytest -m slow

# ARGS: names of benchmarks, --messages N, --rounds R, --json FILE
bench: $(STAMP) servers
	-@deploy/install-bench-peers
	$(BIN)/python -m tests.benchmarks $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(STAMP)
	$(BIN)/python -m helpdesk.settings.reference > docs/configuration.md

lock:
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --group dev --extra demo --extra htcondor --extra postgresql --extra reports --extra robots --extra xrootd pyproject.toml --output-file requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage dist
