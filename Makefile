# StackSpot AI team gateway. `make` alone lists what there is to do.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
# What is typed behind a target (NAME=VALUE) reaches gateway/make.py through the environment and as it is: no value
# becomes part of a shell's line or is expanded by make.
TYPED := $(foreach _,$(.VARIABLES),$(if $(findstring command line,$(origin $_)),$_))
$(foreach _,$(TYPED),$(eval override $_ := $$(value $_))$(eval export $_))
override VENV := .venv
override BIN := $(VENV)/bin
# Administration needs three packages. Where everything is installed they are there already.
override ADMIN := $(if $(wildcard $(VENV)/.installed),$(VENV),.venv-admin)
override GATEWAY := $(ADMIN)/bin/python -m gateway.make
export PYTHON
export TYPED_VARIABLES := $(TYPED)
export TYPED_GOALS := $(or $(MAKECMDGOALS),help)

.PHONY: help
help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: .typed
.typed:
	@"$$PYTHON" -m gateway.make

.PHONY: install
install: $(VENV)/.installed  ## Make .venv with everything locked (other targets do it by themselves)

$(VENV)/.installed: requirements-dev.lock
	@"$$PYTHON" -m gateway.install $(VENV) $<

.venv-admin/.installed: requirements-admin.lock
	@"$$PYTHON" -m gateway.install .venv-admin $<

.PHONY: .admin
.admin: .typed $(if $(wildcard $(VENV)/.installed),,.venv-admin/.installed)

.PHONY: demo
demo: .typed install  ## Start simulator and gateway, show what they do, stay up until Ctrl-C (ONCE=1: end after the tour)
	@$(BIN)/python -m gateway.make demo

.PHONY: run
run: .typed install  ## Start the gateway with your own credentials, from .env or the environment
	@$(BIN)/python -m gateway.make run

.PHONY: client
client: .admin  ## Print how to point a client at your gateway: make client NAME=codex
	@$(GATEWAY) client

.PHONY: format
format: install  ## Put the code into the project's form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: lint
lint: install  ## Check style, types and layers, and that no secret and no malicious release is in the tree
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m supply_chain.known_bad
	$(BIN)/python -m supply_chain.secret_scan

# The tests start hundreds of Pythons: each would translate the project anew where its bytecode is not kept.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest
# Workers: two more than there are cores (tests/conftest.py); each has gateways of its own, at 300 MB.
PARALLEL := --numprocesses auto --maxprocesses 4 --no-loadscope-reorder

.PHONY: test
test: install  ## Run what a change needs: unit tests, and tests against a running gateway
	$(PYTEST) $(PARALLEL) tests/gateway tests/unit

.PHONY: test-unit
test-unit: install  ## Run the tests that start no gateway
	$(PYTEST) $(PARALLEL) tests/unit

# The clients, the browser and the daemon each want the machine for themselves.
.PHONY: test-all
test-all: install  ## Run every test there is: also resilience, browser, real agents and Docker (over half an hour)
	HYPOTHESIS_PROFILE=$${HYPOTHESIS_PROFILE:-exploring} $(PYTEST) $(PARALLEL) -m '' tests/gateway tests/unit
	$(PYTEST) -m 'not agents and not compose' tests/slow
	$(MAKE) --no-print-directory test-agents test-compose

.PHONY: test-agents
test-agents: install  ## Let real coding agents do a task through the gateway (about eight minutes)
	$(PYTEST) -m agents tests/slow/agents

.PHONY: chaos
chaos: install  ## Break all around the gateway, at random and repeatably, for ten minutes [SEED=... MINUTES=60]
	CHAOS_SEED="$$SEED" CHAOS_MINUTES="$${MINUTES:-10}" $(PYTEST) tests/slow/chaos

.PHONY: clients-newest
clients-newest: install  ## Let the newest version of every client do the task: before a release [NAME=codex]
	@$(BIN)/python -m tests.slow.agents.newest

.PHONY: pictures
pictures: install  ## Make the documentation's pictures anew (about six minutes; Chromium, npm, prometheus)
	$(BIN)/python -m tests.slow.agents.picture
	$(BIN)/python -m tests.slow.ui.picture
	$(BIN)/python -m tests.slow.monitoring.picture

.PHONY: bench
bench: install  ## Compare with LiteLLM's own providers and other gateways (about 15 minutes; QUICK=1: 5)
	$(BIN)/python -m bench.gateways $(if $(QUICK),--quick)

.PHONY: bench-growth
bench-growth: install  ## Measure how cost grows with prompt, tools, answer, history, clients and keys (about a minute)
	$(BIN)/python -m bench.growth

.PHONY: bench-emulation
bench-emulation: install  ## Measure what tool emulation costs
	$(BIN)/python -m bench.emulation

.PHONY: bench-below
bench-below: install  ## Compare CPU and start with LiteLLM's default configuration, on the same Postgres (about 10 minutes)
	$(BIN)/python -m bench.below

.PHONY: bench-sharing
bench-sharing: install  ## Measure how a team shares one account, with and without pacing (about 12 minutes; redis-server)
	$(BIN)/python -m bench.sharing

.PHONY: soak
soak: install  ## Let a team work for 20,000 requests, and see that nothing is left over (about 20 minutes) [REQUESTS= SEED=]
	$(BIN)/python -m bench.soak $(if $(REQUESTS),--requests $(REQUESTS)) $(if $(SEED),--seed $(SEED))

.PHONY: lock
lock:  ## Renew the lock files from requirements*.in (needs uv)
	for name in requirements requirements-dev requirements-admin; do \
	  uv pip compile --quiet --override requirements-overrides.txt --generate-hashes --universal --python-version 3.11 \
	    --custom-compile-command "make lock" --no-annotate $$name.in --output-file $$name.lock; \
	done
	cd tests/slow/stkai && uv pip compile --quiet --generate-hashes --python-version 3.12 \
	  --custom-compile-command "make lock" --no-annotate requirements-stkai.in --output-file requirements-stkai.lock
	cd tests/slow/agents && for name in aider:3.11 crewai:3.11 gptme:3.11 openhands:3.12 sdks:3.11 uv:3.11 vibe:3.12; do \
	  uv pip compile --quiet --generate-hashes --universal --python-version $${name#*:} \
	    --custom-compile-command "make lock" --no-annotate requirements-$${name%:*}.in \
	    --output-file requirements-$${name%:*}.lock; \
	done
	cd bench/gateways && uv pip compile --quiet --generate-hashes --universal --python-version 3.11 \
	  --custom-compile-command "make lock" --no-annotate requirements-others.in --output-file requirements-others.lock

.PHONY: fuzz
fuzz: install  ## Try what reads requests, answers and configuration with new broken input: make fuzz MINUTES=10 [SEED=]
	@$(BIN)/python -m tests.unit.fuzz

.PHONY: sbom
sbom: install  ## Write what the gateway runs on to artifacts/sbom.cdx.json (CycloneDX), from the lock files
	@$(BIN)/python -m supply_chain.sbom

.PHONY: notices
notices: install  ## Renew THIRD_PARTY_NOTICES.txt, the licences of what is locked
	@$(BIN)/python -m supply_chain.notices

# Keys, teams, usage: for the gateway at GATEWAY_URL (default: this machine), with the LITELLM_MASTER_KEY of .env.
.PHONY: key
key: .admin  ## Hand out a key: make key NAME=dev1 [TEAM= BUDGET= PERIOD= RPM= TPM= MODELS= EXPIRES= ROTATE=1 UPDATE=1]
	@$(GATEWAY) key

.PHONY: keys
keys: .admin  ## List the keys with their spend, limits and expiry
	@$(GATEWAY) keys

.PHONY: revoke
revoke: .admin  ## Take a key away at once: make revoke NAME=dev1
	@$(GATEWAY) revoke

.PHONY: team
team: .admin  ## List the teams; make or change one: make team NAME=backend [BUDGET= PERIOD= RPM= TPM= MODELS=]
	@$(GATEWAY) team

.PHONY: admin
admin: .admin  ## List who may sign in to the admin UI as administrator; add or reset one: make admin NAME=ana@example.com
	@$(GATEWAY) admin

.PHONY: forget
forget: .admin  ## Delete what is stored about a developer: make forget NAME=dev1
	@$(GATEWAY) forget

.PHONY: usage
usage: .admin  ## Show what each developer used in 30 days (BY=team|model|day DAYS=7 TIMEZONE=; CSV=file or FORMAT=csv)
	@$(GATEWAY) usage

.PHONY: clean-data
clean-data: .typed install  ## Delete the database of make run, with its keys and usage
	@$(BIN)/python -m gateway.make clean-data

# The Docker stack (docker-compose.yml). The secrets and settings are in .env.
.PHONY: env
env: .admin  ## Write .env with new secrets, unless there is one
	@$(GATEWAY) env

.PHONY: up
up: .typed  ## Start the Docker stack and wait until it is ready
	@"$$PYTHON" -m gateway.names
	@! docker compose exec -T gateway test -e /tmp/waits 2>/dev/null || docker compose rm --stop --force gateway
	@docker compose up --detach --wait || { \
	  [ "$$(docker compose ps --format '{{.Health}}' gateway)" = healthy ] || docker compose logs --tail 20 gateway; \
	  docker compose logs --no-log-prefix preflight; exit 1; }

.PHONY: down
down: .typed  ## Stop the Docker stack; answers under way are finished, data stay
	docker compose down

.PHONY: logs
logs: .typed  ## Follow the log of the Docker stack
	docker compose logs --follow --tail 100

.PHONY: status
status: .admin  ## Show what runs, whether it is ready, and who waits for StackSpot
	@$(GATEWAY) status

.PHONY: doctor
doctor: .admin  ## Look at all that has to be right, and say what to do (NO_AGENTS=1: ask no agent; DEEP=1: try them as coding agents)
	@$(GATEWAY) doctor

.PHONY: backup
backup: .admin  ## Dump the database of the Docker stack to backups/
	@$(GATEWAY) backup

.PHONY: restore
restore: .admin  ## Bring back a backup: make restore FILE=backups/...
	@$(GATEWAY) restore

.PHONY: upgrade
upgrade: .admin  ## After a change of the images: backup, pull, start, say how to go back
	@$(GATEWAY) upgrade

.PHONY: test-compose
test-compose: install  ## Run the Docker stack for real, in a Docker daemon of its own (Debian, root)
	$(PYTEST) -m compose --timeout 900 tests/slow/compose
