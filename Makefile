# `make train` and `make test` need only Python >= 3.11, pip and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKDIR ?= runs/digits
KILLS := $(addprefix tests/torture/torture_, kills.py folder.py seeds.py)
LEARNING := tests/torture/torture_learning.py

.PHONY: train test lint docs torture torture-kills torture-others learning bench bench-quick tfds export trackers tutorial clean

train: $(VENV)/run.installed
	$(BIN)/python train.py --workdir=$(WORKDIR)
	$(BIN)/python eval.py --workdir=$(WORKDIR)

test: lint
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder

# TensorFlow Datasets and TensorFlow, for MNIST, SVHN, CelebA and the tests of them.
tfds: $(VENV)/tfds.installed

# What `infogan export` and the tests of it need: ONNX and safetensors.
export: $(VENV)/export.installed

# The clients of the experiment trackers, for the tests of them.
trackers: $(VENV)/trackers.installed

# Executes docs/tutorial.ipynb, with the training in it.
tutorial: $(VENV)/tutorial.installed
	$(BIN)/python -m scripts.tutorial

# Two halves of about the same length, side by side.
torture: $(VENV)/test.installed
	$(MAKE) --no-print-directory --jobs=2 torture-kills torture-others

torture-kills: $(VENV)/test.installed
	$(BIN)/python -m pytest -rs $(KILLS)

torture-others: $(VENV)/test.installed
	$(BIN)/python -m pytest -rs $(filter-out $(KILLS) $(LEARNING), $(wildcard tests/torture/torture_*.py))
	$(BIN)/python -m pytest -rs -m long tests

# Whether the recipe of the digits still learns what it is for, and its baseline does not.
learning: $(VENV)/test.installed
	$(BIN)/python -m pytest -rs $(LEARNING)

lint: $(VENV)/test.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/run.installed
	$(BIN)/python -m scripts.config_table
	$(BIN)/python scripts/trials.py

bench: $(VENV)/bench.installed
	$(BIN)/python -m benchmarks

# Whether a step takes more than 1.1 times as long as in the last release.
bench-quick: $(VENV)/run.installed
	$(BIN)/python -m benchmarks.quick

$(VENV)/run.installed: requirements-core.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet -r requirements-core.txt
	touch $@

$(VENV)/test.installed: requirements-dev.txt $(VENV)/run.installed
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	touch $@

$(VENV)/tfds.installed: requirements-tfds.txt $(VENV)/run.installed
	$(BIN)/python -m pip install --quiet -r requirements.txt
	touch $@

$(VENV)/export.installed: requirements-export.txt $(VENV)/run.installed
	$(BIN)/python -m pip install --quiet -r requirements-export.txt
	touch $@

$(VENV)/trackers.installed: requirements-trackers.txt $(VENV)/run.installed
	$(BIN)/python -m pip install --quiet -r requirements-trackers.txt
	touch $@

$(VENV)/tutorial.installed: requirements-tutorial.txt $(VENV)/run.installed
	$(BIN)/python -m pip install --quiet -r requirements-tutorial.txt
	touch $@

$(VENV)/bench.installed: requirements-bench.txt $(VENV)/run.installed
	$(BIN)/python -m pip install --quiet -r requirements-bench.txt
	touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "make: $(PYTHON) is older than 3.11; try make PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache
