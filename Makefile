# StackSpot AI team gateway. `make` alone lists what there is to do.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
# What is typed behind a target (NAME=VALUE) reaches the commands through the environment and as it is: no value becomes
# part of a shell's line or is expanded by make. What merely happens to be in the environment does not count as typed.
TYPED := $(foreach _,$(.VARIABLES),$(if $(findstring command line,$(origin $_)),$_))
OPTIONS := NAME TEAM BUDGET PERIOD RPM TPM MODELS EXPIRES ROTATE UPDATE DAYS CSV FORMAT FILE
$(foreach _,$(TYPED),$(eval override $_ := $$(value $_))$(eval export $_))
$(foreach _,$(OPTIONS),$(if $(findstring environment,$(origin $_)),$(eval unexport $_)))
override VENV := .venv
override BIN := $(VENV)/bin
export PYTHON
export TYPED_VARIABLES := $(TYPED)
export TYPED_GOALS := $(or $(MAKECMDGOALS),help)

.PHONY: help
help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: .typed
.typed:
	@"$$PYTHON" -m gateway.typed

.PHONY: install
install: $(VENV)/.installed  ## Make .venv with everything locked (other targets do it by themselves)

# --no-deps: the lock lists every package, and two of LiteLLM's own pins are not on PyPI (see requirements-overrides.txt).
$(VENV)/.installed: requirements-dev.lock
	@"$$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; say which one with PYTHON=/path/to/python3."; exit 1; }
	"$$PYTHON" -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	@touch $@

.PHONY: demo
demo: .typed install  ## Start simulator and gateway, show what they do, stay up until Ctrl-C (ONCE=1: end after the tour)
	@$(BIN)/python -m gateway.demo

.PHONY: run
run: .typed install  ## Start the gateway with your own credentials, from .env or the environment
	@$(BIN)/python -m gateway.run

.PHONY: client
client: .typed install  ## Print how to point a client at your gateway: make client NAME=codex
	@$(BIN)/python -m gateway.clients

.PHONY: lint
lint: install  ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.PHONY: test
test: install  ## Run the tests that need neither Docker nor real coding agents
	$(BIN)/python -m pytest

.PHONY: test-agents
test-agents: install  ## Let real coding agents do a task through the gateway (about five minutes)
	$(BIN)/python -m pytest -m agents

.PHONY: bench
bench: install  ## Compare the handler with LiteLLM's built-in provider (about 6 minutes)
	$(BIN)/python -m bench.gateway

.PHONY: bench-emulation
bench-emulation: install  ## Measure what tool emulation costs
	$(BIN)/python -m bench.emulation

.PHONY: lock
lock:  ## Renew the lock files from requirements*.in (needs uv)
	for name in requirements requirements-dev; do \
	  uv pip compile --quiet --override requirements-overrides.txt --generate-hashes --universal --python-version 3.11 \
	    --custom-compile-command "make lock" --no-annotate $$name.in --output-file $$name.lock; \
	done
	cd tests/slow/stkai && uv pip compile --quiet --generate-hashes --python-version 3.12 \
	  --custom-compile-command "make lock" --no-annotate requirements-stkai.in --output-file requirements-stkai.lock
	cd tests/slow/agents && uv pip compile --quiet --generate-hashes --universal --python-version 3.11 \
	  --custom-compile-command "make lock" --no-annotate requirements-aider.in --output-file requirements-aider.lock

# Keys, teams, usage: for the gateway at GATEWAY_URL (default: this machine), with the LITELLM_MASTER_KEY of .env.
.PHONY: key
key: .typed install  ## Hand out a key: make key NAME=dev1 [TEAM= BUDGET= PERIOD= RPM= TPM= MODELS= EXPIRES= ROTATE=1 UPDATE=1]
	@$(BIN)/python -m gateway.keys create
	@$(BIN)/python -m gateway.banner >/dev/null 2>&1 || true  # what a unit of spend is, in the UI; the key matters more

.PHONY: keys
keys: .typed install  ## List the keys with their spend, limits and expiry
	@$(BIN)/python -m gateway.keys list

.PHONY: revoke
revoke: .typed install  ## Take a key away at once: make revoke NAME=dev1
	@$(BIN)/python -m gateway.keys revoke

.PHONY: team
team: .typed install  ## List the teams; make or change one: make team NAME=backend [BUDGET= PERIOD= RPM= TPM= MODELS=]
	@$(BIN)/python -m gateway.teams

.PHONY: usage
usage: .typed install  ## Show what each developer used in 30 days (DAYS=7; CSV=file or FORMAT=csv)
	@$(BIN)/python -m gateway.usage

.PHONY: clean-data
clean-data: .typed install  ## Delete the database of make run, with its keys and usage
	@$(BIN)/python -m database.local remove

# The Docker stack (docker-compose.yml). The secrets and settings are in .env.
.PHONY: env
env: .typed  ## Write .env with new secrets, unless there is one
	@"$$PYTHON" -m gateway.env_file

.PHONY: up
up: .typed  ## Start the Docker stack and wait until it is ready
	@"$$PYTHON" -m gateway.names
	@docker compose up --detach --wait || { docker compose logs --tail 20 gateway; docker compose logs --no-log-prefix preflight; exit 1; }

.PHONY: down
down: .typed  ## Stop the Docker stack; answers under way are finished, data stay
	docker compose down

.PHONY: logs
logs: .typed  ## Follow the log of the Docker stack
	docker compose logs --follow --tail 100

.PHONY: status
status: .typed  ## Show what runs in the Docker stack, and whether the gateway is ready
	@docker compose ps --all
	@docker compose exec -T gateway python3 -c 'import urllib.request; print(urllib.request.urlopen("http://127.0.0.1:4000/health/readiness").read().decode())'

.PHONY: backup
backup: .typed  ## Dump the database of the Docker stack to backups/
	@scripts/compose/backup.sh

.PHONY: restore
restore: .typed  ## Bring back a backup: make restore FILE=backups/...
	@scripts/compose/restore.sh

.PHONY: upgrade
upgrade: .typed  ## After a change of the images: backup, pull, start, say how to go back
	@scripts/compose/upgrade.sh

.PHONY: test-compose
test-compose: install  ## Run the Docker stack for real, in a Docker daemon of its own (Debian, root)
	$(BIN)/python -m pytest -m compose --timeout 900 tests/slow/compose
