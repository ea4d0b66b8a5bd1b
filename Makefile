# The whole workflow. `make demo` and `make test` set up what they need by themselves.
.PHONY: setup demo test test-slow lint bench docs constraints clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
STAMP := $(VENV)/.ready

# A folder of wheels that pip knows about is one that uv should know about too.
ifneq ($(PIP_FIND_LINKS),)
export UV_FIND_LINKS := $(PIP_FIND_LINKS)
endif

setup: $(STAMP)

.tools/bin/uv:
	$(PYTHON) -m pip install --quiet --target .tools uv

$(STAMP): pyproject.toml constraints.txt | $(if $(filter .tools/bin/uv,$(UV)),.tools/bin/uv)
	$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	$(UV) pip install --quiet --python $(BIN)/python --constraint constraints.txt \
		--group cpu --group test --group lint --editable .
	touch $@

demo: setup
	$(BIN)/twelvelead demo --out out/demo

# The rooms that compute what is claimed have to be covered by at least 90 %.
COVERED := signal measure cohort predict validate interpret
# A file of tests at a time in each process, so that what a file prepares is prepared once.
SIDE_BY_SIDE := -n auto --maxprocesses 4 --dist loadfile

test: setup
	$(BIN)/python -m pytest -m "not slow" $(SIDE_BY_SIDE) $(COVERED:%=--cov=twelvelead.%) --cov-branch --cov-fail-under=90 \
		--cov-report=term:skip-covered

test-slow: setup
	$(BIN)/python -m pytest -m slow

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Folders of real recordings: make bench LUDB=… PTBXL=…
LUDB ?= ../shared/data/ludb
PTBXL ?= ../shared/data/ptbxl

bench: setup
	$(BIN)/python bench/read.py $(PTBXL)
	$(BIN)/python bench/measure.py $(PTBXL)
	$(BIN)/python bench/accuracy.py $(LUDB)
	$(BIN)/python bench/ptbxl.py $(PTBXL)
	$(BIN)/python bench/interpret.py $(PTBXL)
	$(BIN)/python bench/verify.py $(PTBXL)

docs: setup
	$(BIN)/python docs/generate.py

constraints: | $(if $(filter .tools/bin/uv,$(UV)),.tools/bin/uv)
	$(UV) pip compile --quiet --universal --upgrade --no-header --no-annotate --extra formats --extra plot --extra scale \
		--extra torch --extra tune --extra ebm --extra language \
		--group cpu --group test --group lint --output-file constraints.txt pyproject.toml

clean:
	rm -rf $(VENV) .tools out
