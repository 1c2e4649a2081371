# make run    a shell on a real heap profile, with its binary
# make test   everything that continuous integration checks
# make bench  times against Go's pprof, as ratios

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test lint bench goldens clean

run: $(VENV)/run.stamp
	@$(BIN)/pypprof -source_path=fixtures/leak fixtures/leak/leak fixtures/leak/heap.pb.gz

test: lint
	$(BIN)/python -m pytest

# The import-layer check is tests/test_architecture.py.
lint: $(VENV)/test.stamp
	$(BIN)/ruff check pypprof tests benchmarks
	$(BIN)/ruff format --check pypprof tests benchmarks
	$(BIN)/mypy

bench: $(VENV)/test.stamp
	$(BIN)/python -m benchmarks.symbols
	$(BIN)/python -m benchmarks.run

goldens: $(VENV)/test.stamp
	$(BIN)/python -m tests.golden.regenerate

$(VENV)/run.stamp: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "pypprof needs Python 3.11 or later")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --config-settings editable_mode=compat
	@touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]' --config-settings editable_mode=compat
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info
