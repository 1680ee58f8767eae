# `make report` builds the HTML report, `make test` runs the tests; both install what they need.
PYTHON ?= python3
PROFILE ?= demo
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
INSTALLED := .venv/.installed
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Where it is set, some forty processes would each compile PyTorch's modules anew, in seconds.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install report test lab cpu long lint lock clean

help:            ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(INSTALLED)   ## make .venv with the locked versions and this package

# Modules are compiled when they are first imported: to compile all of them takes a minute. The stamp
# is written last, so an installation that was cut short is taken up again. Two calls of pip side by side install
# parts of the lock, first the one with torch, the largest. The lock is whole but for the CUDA packages of torch, which
# the next call adds where torch needs them; to resolve all takes half a minute.
$(INSTALLED): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	sed '/^#/d' requirements.lock | sort -rf | xargs -P 2 -n 90 $(PIP) --no-compile --no-deps
	$(PIP) --no-compile torch
	$(PIP) --no-deps --no-build-isolation --editable .
	touch $@

report: $(INSTALLED)    ## run PROFILE (demo) and build the report into build/report/
	snakemake --cores all --config profile=$(PROFILE) --quiet rules

# One thread a process: processes side by side use the cores better than threads that share them.
test: $(INSTALLED)      ## run the tests, on all cores
	OMP_NUM_THREADS=1 pytest -n auto --dist worksteal

lab: $(INSTALLED)       ## open the notebooks in JupyterLab
	jupyter lab notebooks

cpu: $(INSTALLED)       ## run the profile cpu again, on the real sets under IQA_DATA
	snakemake --cores all --config profile=cpu --quiet rules --keep-going -- runs

long: $(INSTALLED)      ## run the profile long again: everything else, and what adapts the backbone
	snakemake --cores all --config profile=long --quiet rules --keep-going -- runs

lint: $(INSTALLED)      ## format check, lint, types, import contracts, stripped notebooks
	ruff format --check .
	ruff check .
	mypy
	lint-imports
	nbstripout --verify notebooks/*.ipynb

lock: $(INSTALLED)      ## write requirements.lock again from what .venv holds
	{ sed '/^#/!d' requirements.lock; pip freeze --all --exclude-editable | grep -vE '^(nvidia-|cuda-|triton|pip==)' | sed 's/+cpu//'; } > .lock.tmp
	mv .lock.tmp requirements.lock

clean:           ## remove what was built here; the cache and .venv stay
	rm -rf build .snakemake
