# `make demo` and `make test` each need nothing before them: they make .venv on first use.
PYTHON ?= python3
# What pip is asked for before all else. Pass a CPU or CUDA build of your own choice where the default is the wrong one.
TORCH ?= torch==2.13.0

BIN := .venv/bin
INSTALLED := .venv/.installed

# Caches stay in the project, so that an empty or read-only HOME is no obstacle.
export NUMBA_CACHE_DIR := $(CURDIR)/build/cache/numba
export MPLCONFIGDIR := $(CURDIR)/build/cache/matplotlib
# OpenMP threads that spin make torch many times slower beside a busy simulator.
export GOMP_SPINCOUNT := 0
export OMP_WAIT_POLICY := passive

.PHONY: install demo test test-slow lint clean

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -c constraints.txt $(TORCH)
	$(BIN)/pip install -c constraints.txt $(TORCH) -e ".[baselines,dev]"
	touch $@

demo: install
	$(BIN)/python -m baselines.demo

# What measures time or kills processes has the machine to itself.
ALONE := tests/remote tests/benchmark

test: lint
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile $(ALONE:%=--ignore %)
	$(BIN)/python -m pytest $(ALONE)

test-slow: install
	$(BIN)/python -m pytest -m slow

lint: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:
	rm -rf .venv build
