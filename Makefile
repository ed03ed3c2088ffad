# make run      build everything and serve on port 6379        make run ARGS="--port 7777"
#               The data are kept in ./data by an append-only file, unless ARGS names a configuration file or other settings.
# make test     build everything and run all tests             make test ARGS="tests/types -x"
# make build    the virtual environment and the compiled modules
# make bench    side by side with redis-server
# make docs     docs/compatibility.md, from the command table
# make clean    remove what was built
#
# PYTHON=python3.12 names the interpreter to build .venv with; else the first Python of 3.11 or later is taken.

SHELL := /bin/bash
ARGS ?=
PYTHON ?=
JOBS ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 2)
VENV_PYTHON := .venv/bin/python
SOURCES := setup.py $(shell find carnelian -name '*.py' -o -name '*.pxd')
export ARGS

.PHONY: run test bench docs build clean
.DELETE_ON_ERROR:

run: build
	@port=$$(sed -n 's/.*--port[ =]*\([0-9][0-9]*\).*/\1/p' <<< "$$ARGS"); port=$${port:-6379}; \
	echo "carnelian on port $$port: redis-cli -p $$port, or redis://127.0.0.1:$$port in any Redis client. Ctrl-C ends it."; \
	case "$$ARGS" in \
	  ''|--*) mkdir -p data; exec $(VENV_PYTHON) -m carnelian serve --dir data --appendonly yes $(ARGS);; \
	  *) exec $(VENV_PYTHON) -m carnelian serve $(ARGS);; \
	esac

test: build
	$(VENV_PYTHON) -m pytest $(ARGS)

bench: build
	$(VENV_PYTHON) bench/compare.py $(ARGS)

docs: build
	@$(VENV_PYTHON) -m tools.compatibility

build: .venv/built

# An interpreter counts when it runs (a pyenv shim may not), is 3.11 or later, and can make virtual environments.
.venv/made:
	@rm -rf .venv
	@for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python); do \
	  if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo 'carnelian needs Python 3.11 or later with its venv module, and finds none among: $(or $(PYTHON),python3, python3.13, python3.12, python3.11).' >&2; \
	  echo 'Debian and Ubuntu: apt install python3-venv python3-dev gcc. Or name one: make PYTHON=/path/to/python' >&2; \
	  exit 1; \
	fi; \
	if ! $$found -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))'; then \
	  echo "$$found has no headers to compile with. Debian and Ubuntu: apt install python3-dev gcc" >&2; exit 1; \
	fi; \
	echo "making .venv with $$($$found --version)"; \
	$$found -m venv .venv
	@touch $@

.venv/installed: .venv/made pyproject.toml
	@echo 'installing what carnelian needs into .venv'
	@$(VENV_PYTHON) -c 'import tomllib; p = tomllib.load(open("pyproject.toml", "rb")); print(*p["build-system"]["requires"], *p["project"]["dependencies"], *p["project"]["optional-dependencies"]["test"], sep="\n")' > .venv/requirements.txt
	@$(VENV_PYTHON) -m pip install --quiet --disable-pip-version-check -r .venv/requirements.txt
	@touch $@

.venv/built: .venv/installed $(SOURCES)
	@echo 'compiling (the first time takes a few minutes)'
	@CARNELIAN_BUILD_JOBS=$(JOBS) $(VENV_PYTHON) setup.py --quiet build_ext --inplace --parallel $(JOBS)
	@touch $@

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .hypothesis
	find carnelian tests bench -name __pycache__ -prune -exec rm -rf {} +
	find carnelian \( -name '*.so' -o -name '*.pyd' -o -name '*.c' -o -name '*.html' \) -delete
