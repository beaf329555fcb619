# Needs Python 3.11 or newer with venv, make, and a package index. `make VENV=/elsewhere PYTHON=python3.13 …`
.PHONY: quickstart test elsewhere-test pi-test mutants check bench wheel-digests docs train
.DEFAULT_GOAL := quickstart
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV ?= .venv
PYTHON ?= first
EMBEDDED ?= signs
BIN := $(VENV)/bin
PIP := PYTHONWARNINGS=ignore $(BIN)/python -m pip --quiet --disable-pip-version-check
CANDIDATES := python3 python3.14 python3.13 python3.12 python3.11 python

quickstart: $(VENV)/.edgenet-base
	@$(BIN)/edgenet quickstart $(ARGS)

# One BLAS thread a process: those of processes side by side spin against each other, at twice the CPU time.
PYTEST := OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile

test: $(VENV)/.edgenet-test
	@$(PYTEST) $(ARGS)

INT8_TESTS := $(patsubst %,tests/backends/test_%.py,onnxruntime_graph random_graphs tflite_int8 tflite_mixed) \
  $(patsubst %,tests/steps/test_%.py,compile head parity) tests/verify

# Deadlines and slow links are this side's, whoever serves.
SERVER_TESTS := $(filter-out %_deadlines.py %_slow_link.py,$(wildcard tests/devices/test_*.py)) tests/e2e/test_chain.py

# What would differ on another machine: the SSH server written in Python, a processor without VNNI.
elsewhere-test: $(VENV)/.edgenet-test
	@EDGENET_TEST_ASYNCSSH=1 $(PYTEST) $(SERVER_TESTS) $(ARGS)
	@EDGENET_TEST_NO_VNNI=1 $(PYTEST) tests/quantize $(INT8_TESTS) $(ARGS)

pi-test: $(VENV)/.edgenet-test
	@tests/pi/run $(BIN)/python $(ARGS)

# Small changes of the files that figures rest on: would their own tests notice? ARGS names some of the files.
mutants: $(VENV)/.edgenet-test
	@$(BIN)/python benchmarks/mutants.py $(ARGS)

check: $(VENV)/.edgenet-check
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/vermin --quiet --no-tips --target=3.6- edgenet/agent
	@$(BIN)/python docs/generate.py --check
	@echo "check: ruff, format, mypy, vermin and docs are clean"

bench: $(VENV)/.edgenet-base
	@$(BIN)/python benchmarks/startup.py
	@$(BIN)/python benchmarks/chain.py

# After a change of edgenet/devices/pins.toml; read the difference before it is committed.
wheel-digests: $(VENV)/.edgenet-base
	@$(BIN)/python benchmarks/wheel_digests.py

# The pages that are generated, then the site of all of them in site/; a dead link or anchor fails the build.
docs: $(VENV)/.edgenet-docs
	@$(BIN)/python docs/generate.py
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict
	@echo "docs: site/index.html"

train: $(VENV)/.edgenet-train
	@$(BIN)/python -m edgenet.zoo.$(EMBEDDED).train $(ARGS)

# One stamp a set of packages; installed again when pyproject.toml changes. Code needs no reinstall: it is editable.
$(VENV)/.edgenet-base: pyproject.toml | $(BIN)/python
	@echo "installing edgenet into $(VENV) …" >&2
	@$(PIP) install --upgrade 'pip>=25.1'
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.edgenet-test $(VENV)/.edgenet-check $(VENV)/.edgenet-docs: $(VENV)/.edgenet-%: $(VENV)/.edgenet-base
	@echo "installing what $* needs …" >&2
	@$(PIP) install --group $*
	@touch $@

$(VENV)/.edgenet-train: $(VENV)/.edgenet-base
	@echo "installing torch …" >&2
	@$(PIP) install --editable '.[train]'
	@touch $@

$(BIN)/python:
	@python=$(PYTHON); \
	if [ "$$python" = first ]; then python=; for name in $(CANDIDATES); do \
	  if $$name -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    python=$$name; break; fi; done; fi; \
	if [ -z "$$python" ]; then \
	  echo "no Python 3.11 or newer with venv found: install one (Debian: apt install python3-venv), or make PYTHON=/path" >&2; \
	  exit 1; fi; \
	"$$python" -m venv $(VENV)
