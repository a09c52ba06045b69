# Works with Python 3.11 or newer, make and a package index; nothing else, and not root.
# Every target first brings .venv up to requirements.lock.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.installed
PORT ?= 8080
JOBS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types tests bench eval lock clean

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' $(MAKEFILE_LIST)

$(READY): requirements.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; none was found. Set PYTHON=/path/to/python3." >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r requirements.lock
	@touch $@

demo: $(READY)  ## the whole bot on this machine, with people to play (PORT=8080)
	$(PY) bot.py demo --port $(PORT)

test: check tests  ## lint, types and every test

check: lint types  ## lint and types

lint: $(READY)
	$(PY) -m ruff check .

types: $(READY)
	$(PY) -m mypy

tests: $(READY)
	$(PY) -m pytest -n $(JOBS) --dist loadfile || \
		{ echo "What failed runs once more, alone: a fault fails again, a busy machine does not."; \
		$(PY) -m pytest --last-failed --last-failed-no-failures none; }

bench: $(READY)  ## how fast it is, in figures
	$(PY) -m tests.bench

eval: $(READY)  ## how well it understands, in figures
	$(PY) -m tests.understanding.evaluate

# uv is a tool of whoever changes dependencies; it is not part of the environment.
lock:  ## write requirements.lock anew from pyproject.toml (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--no-emit-index-url --extra dev pyproject.toml --output-file requirements.lock

clean:  ## remove the environment and the caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
