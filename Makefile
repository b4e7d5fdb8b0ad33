# The same commands on a laptop and in CI. Everything needed is installed by them: Python packages into .venv, npm
# packages into node_modules, and the programs tests run (Redis, PostgreSQL, Chromium), where they can be installed.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.ready
NODE   := node_modules/.ready
# The page that says that the dashboard is built.
PAGE   := src/vivienne/dashboard/index.html

# Every process that a test starts would compile the whole program again.
unexport PYTHONDONTWRITEBYTECODE

export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PIP_ROOT_USER_ACTION = ignore

.PHONY: run test test-python test-client test-dashboard test-pages check format docs client dashboard chromium redis-server postgres nginx bench torture wheel setup lock clean

run: setup ## serve http://localhost:8000 on the simulated market, with the dashboard
	@if scripts/node.sh; then $(MAKE) --no-print-directory $(PAGE); else echo "Without it there is no dashboard; everything else works."; fi
	@$(BIN)/vivienne serve $(ARGS)

test: setup $(PAGE) redis-server postgres nginx chromium ## run every test; ARGS=--durations=20 shows the slowest in Python
	@# The tests of the npm package wait for servers as those in Python do. Pages have time limits, so they come alone.
	@$(MAKE) --no-print-directory --keep-going --jobs=2 test-python test-client test-dashboard; code=$$?; \
		$(MAKE) --no-print-directory test-pages && exit $$code

# Runs a command and says how long it took.
timed = begin=$$(date +%s); scripts/in_memory.sh $(1); code=$$?; echo "$@: $$(($$(date +%s) - begin)) s"; exit $$code

test-python: setup $(PAGE) redis-server postgres nginx ## ARGS="tests/agent -k rsi" narrows it
	@# Three for each core: they wait for servers more than they compute.
	@$(call timed,$(BIN)/python -m pytest -n $$((3 * $$(getconf _NPROCESSORS_ONLN))) $(ARGS))

test-client: setup $(NODE) ## the npm package
	@$(call timed,npm test --silent -w vivienne-client)

test-dashboard: setup $(PAGE) ## the dashboard, without a browser
	@$(call timed,npm test --silent -w vivienne-dashboard)

test-pages: setup $(PAGE) chromium ## the dashboard, in a real browser
	@$(call timed,npm run e2e --silent -w vivienne-dashboard)

check: setup $(NODE) ## formatting, lint, types, import contract, generated files
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/generate_docs.py --check
	@$(BIN)/python scripts/generate_client.py --check
	@node clients/js/scripts/types.mjs --check
	@npm run build --silent -w vivienne-client
	@npm run check --silent
	@npm run check:package --silent -w vivienne-client

format: setup $(NODE) ## let ruff and biome fix what they can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@npm run format --silent

docs: setup ## regenerate the generated documents
	@$(BIN)/python scripts/generate_docs.py

client: setup $(NODE) ## regenerate the parts of the npm package that come from the Python code
	@$(BIN)/python scripts/generate_client.py
	@node clients/js/scripts/types.mjs

dashboard: $(PAGE) ## build the dashboard into the Python package

$(PAGE): $(NODE) $(shell find clients/js/src web/src web/public -type f 2>/dev/null) web/index.html web/vite.config.ts
	@echo "Building the dashboard"
	@npm run build --silent

chromium redis-server postgres nginx: ## find one for the tests, or install it
	@scripts/program.sh $@ > /dev/null

bench: setup redis-server postgres ## measure, print the figures
	@PYTHONPATH=tests $(BIN)/python benchmarks/run.py $(ARGS)

torture: setup redis-server postgres ## measure behaviour under faults; takes hours. ARGS="kills increments" selects some
	@PYTHONPATH=tests:benchmarks $(BIN)/python -m torture $(ARGS)

wheel: setup $(PAGE) ## dist/vivienne-*.whl, with the dashboard in it
	@rm -f dist/vivienne-*.whl
	@$(BIN)/python -m hatchling build -t wheel

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Vivienne needs Python 3.11 or later, this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.12 ...")'
	@echo "Setting up $(VENV) (once, about a minute)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(NODE): package-lock.json
	@scripts/node.sh
	@echo "Installing npm packages (once, half a minute)"
	@# Not `npm ci`: it insists on packages for other systems, which not every registry has.
	@npm install --no-save --silent
	@touch $@

lock: ## resolve the dependencies again and pin them by hash
	@$(PYTHON) -m venv $(VENV)/lock
	@$(VENV)/lock/bin/python -m pip install --quiet uv
	@$(VENV)/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --group dev pyproject.toml -o requirements.lock
	@rm -rf $(VENV)/lock
	@npm update --package-lock-only

clean: ## remove what was built
	@rm -rf $(VENV) node_modules src/vivienne/dashboard clients/js/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache dist build web/test-results
