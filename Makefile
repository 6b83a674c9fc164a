# `make` alone prints this table.
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-unit test-system test-faults faults soak accuracy lint fmt audit security spec lock ci clean

PYTHON ?= python3
BIN := .venv/bin
OPENSPEC := npx --yes @fission-ai/openspec@1.13.2
export PYTHONASYNCIODEBUG ?=

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  \033[36mmake %-12s\033[0m %s\n", $$1, $$2}'

setup: .venv/.installed ## Create .venv with everything, the command `livebot` included

# uv comes first, by hash like the rest, because it installs the rest ten times faster than pip.
.venv/.installed: requirements-dev.lock requirements-setup.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-setup.lock
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements-dev.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## A call with two speakers and live captions; needs no server and no account
	$(BIN)/livebot demo

test: test-unit test-system test-faults ## All tests

test-unit: setup ## Unit and integration tests, with coverage
	$(BIN)/coverage erase
	$(MAKE) --no-print-directory --jobs=3 --output-sync=target pytest-unit pytest-rooms pytest-models pytest-services pytest-api pytest-calls
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --format=total | sed 's/^/branch coverage, percent: /'

# Side by side: the first three mostly compute, the others mostly wait.
API := $(wildcard $(foreach name,api app backends cli demo doctor nextcloud secrets stopping talk,tests/integration/test_$(name)*.py))
MODELS := $(wildcard $(foreach name,broken daemon diarize engine_host fetch listen local_engine model no_invented transcribe whisper,tests/integration/test_$(name)*.py))
SERVICES := $(wildcard $(foreach name,call_transcripts clients deepgram exports jobs killed live openai plot readme store transcripts,tests/integration/test_$(name)*.py))
ROOMS := $(foreach name,feeds hearing jobs live rooms store,tests/unit/$(name))
pytest-unit: TESTS := tests/unit $(ROOMS:%=--ignore=%)
pytest-rooms: TESTS := $(ROOMS)
pytest-api: TESTS := $(API)
pytest-models: TESTS := $(MODELS)
pytest-services: TESTS := $(SERVICES)
pytest-calls: TESTS := $(filter-out $(API) $(MODELS) $(SERVICES),$(wildcard tests/integration/test_*.py))
# Asyncio's debug mode notes the stack of every task and callback: laws make a million of them.
pytest-models pytest-services pytest-api pytest-calls: export PYTHONASYNCIODEBUG = 1
pytest-%:
	$(BIN)/coverage run --parallel-mode -m pytest $(TESTS)

# Elsewhere than in CI, a machine that cannot run them is told so, and the rest still counts.
ON_DEBIAN = @tests/system/install-packages && $(1) \
	|| { status=$$?; [ $$status -eq 77 ] && [ -z "$$CI" ] && echo "$@: NOT RUN, see above"; }

test-system: setup ## Against a real signaling server, Janus, TURN server and browser (Debian, root)
	$(call ON_DEBIAN,$(BIN)/python -m pytest tests/system -s)

test-faults: setup ## The same, while each of them dies and comes back
	$(call ON_DEBIAN,$(BIN)/python -m pytest tests/faults -q -s)

faults: export FAULTS_TABLE = deploy/faults.md
faults: test-faults ## Fault tests; what they saw goes into deploy/faults.md

soak: setup ## A busy call for SOAK_MINUTES (15), 500 peers in a row, a file of 3 hours: does anything grow?
	tests/system/install-packages
	$(BIN)/python -m pytest tests/soak -s

accuracy: setup ## Words wrong, speed and memory of each model on the recordings in AUDIO
	$(BIN)/python -m pytest tests/accuracy -s

lint: setup ## Format, lint, types and import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fmt: setup ## Format and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

audit: setup ## Look for known vulnerabilities in the locked dependencies
	.ci/audit

security: setup ## Write who may call what into deploy/security.md
	$(BIN)/python -m livebot.api.security deploy/security.md

spec: ## Validate openspec/
	OPENSPEC_TELEMETRY=0 DO_NOT_TRACK=1 OPENSPEC_NO_UPDATE_CHECK=1 $(OPENSPEC) validate --all --strict --no-interactive

lock: setup ## Renew the locks: names, versions and hashes, no addresses
	$(BIN)/uv pip compile pyproject.toml --extra local --extra whisper --extra postgresql --universal --upgrade --generate-hashes --no-header --no-annotate -q -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra local --extra whisper --extra postgresql --group dev --universal --upgrade --generate-hashes --no-header --no-annotate -q -o requirements-dev.lock
	$(BIN)/uv pip compile requirements-setup.in -c requirements-dev.lock --universal --generate-hashes --no-header --no-annotate -q -o requirements-setup.lock

ci: ## What CI runs: Debian packages, environment, lint, specs, all tests
	.ci/run

clean: ## Remove the environment and caches
	rm -rf .venv .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
