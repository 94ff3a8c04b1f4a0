# The common chores; `make install` first.
PYTHON ?= .venv/bin/python

.PHONY: install test slow kernels lint format docs site benchmarks ci

install:
	python3 -m venv .venv
	.venv/bin/pip install -c constraints.txt -e '.[test,lint]'

test:
	$(PYTHON) -m pytest

slow:  # the tests that take longest, notebooks among them
	$(PYTHON) -m pytest -m slow

kernels:  # without the compiler, where an index out of range is an error
	NUMBA_DISABLE_JIT=1 $(PYTHON) -m pytest tests/kernels

lint:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(dir $(PYTHON))lint-imports

format:
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

docs:  # the command line reference, from the commands themselves
	$(PYTHON) -m typer tokkit_cli.app utils docs --name tokkit > docs/cli.md

site:  # all pages as a web site in build/docs/html; needs pip install '.[docs]'
	$(PYTHON) docs/site/assemble.py build/docs
	$(dir $(PYTHON))zensical build --strict -f build/docs/mkdocs.yml

benchmarks:
	$(PYTHON) -m benchmarks

ci:
	.ci/run
