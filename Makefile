# Every command of the project; `make` alone lists them. STACK chooses the environment (default: dev).
STACK ?= dev
PURGE ?=
OUTPUT ?=
FORMAT ?=
NAME ?=
FROM ?=
FROM_STACK ?=
WITHOUT ?=
CONTEXT ?=
RECEIVER ?=
CLIENT ?=
NOTIFY ?=
SHOW ?=
SEVERITY ?=
# commits after this one have messages as CONTRIBUTING.md asks for
COMMITS_AFTER ?= e4b57109797d27bcf0d08c520d834a0948bb31b5
ON_CLUSTER := closed on_cluster backup_cluster versions_cluster cluster_life scaled_loki ingress operator tls_cluster nodes
TESTS ?= tests/e2e $(patsubst %,--ignore tests/e2e/test_%.py,systems upgrade older_versions providers $(ON_CLUSTER))
# one more than there are processors, for tests that wait for a program; each imports everything, which takes seconds
WORKERS ?= $(shell echo $$(($$(nproc) + 1)))
# modules are compiled once, as they are for people, not once for each worker and each run of a command
COMPILED = PYTHONDONTWRITEBYTECODE= $(PYTHON)
UNIT := tests --ignore tests/e2e --ignore tests/kubernetes
SHELL := /bin/bash
.DEFAULT_GOAL := help

# make takes any variable, so that STAK=prod would deploy the default stack
MISSPELT := $(if $(MAKEOVERRIDES),$(shell python3 cli/misspelt.py '$(subst ','\'',$(MAKEOVERRIDES))' $(MAKECMDGOALS) 2>/dev/null))
$(if $(MISSPELT),$(error $(MISSPELT)))

UV := $(shell sh toolchain/bootstrap.sh --print 2>/dev/null)
PYTHON := .venv/bin/python
OPS := bin/observability

.PHONY: help
help: ## List the commands
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  \033[36m%-12s\033[0m %s\n", $$1, $$2}'

.venv/.ready: pyproject.toml uv.lock
	@echo "== Python environment"
	@uv=$$(sh toolchain/bootstrap.sh) && "$$uv" --system-certs sync --frozen --quiet --compile-bytecode
	@ln -sf ../../bin/observability .venv/bin/observability
	@touch $@

.PHONY: up
up: .venv/.ready ## Deploy the stack and show where everything is (installs what is missing)
	@$(OPS) up --stack $(STACK)

.PHONY: preview
preview: .venv/.ready ## Show what `make up` would change
	@$(OPS) preview --stack $(STACK)

.PHONY: refresh
refresh: .venv/.ready ## Compare the state with what really runs
	@$(OPS) refresh --stack $(STACK)

.PHONY: verify
verify: .venv/.ready ## Show health, targets and addresses of the running stack
	@$(OPS) verify --stack $(STACK)

.PHONY: doctor
doctor: .venv/.ready ## Say what is wrong with the files, the engine and the stack, in the order in which to mend it
	@$(OPS) doctor --stack $(STACK)

.PHONY: drift
drift: .venv/.ready ## Compare what runs with what is declared and change nothing; NOTIFY=25h has Alertmanager say it so long
	@$(OPS) drift --stack $(STACK) $(if $(NOTIFY),--notify $(NOTIFY))

.PHONY: open
open: .venv/.ready ## Show the addresses of the stack's pages; forward them to this machine where nothing leads there
	@$(OPS) open --stack $(STACK)

.PHONY: pictures
pictures: .venv/.ready ## Write pictures of the dashboards to build/pictures, or of one: DASHBOARD=host PAST=6h THEME=light
	@$(OPS) pictures --stack $(STACK) $(if $(DASHBOARD),--dashboard "$(DASHBOARD)") $(if $(PAST),--past "$(PAST)") \
		$(if $(THEME),--theme $(THEME)) $(if $(SCREEN),--screen) $(if $(OUTPUT),--output "$(OUTPUT)")

.PHONY: tour
tour: .venv/.ready ## Switch a fault of a stand-in on, and show the alert come and go (needs demo: true)
	@$(OPS) tour --stack $(STACK)

.PHONY: password
password: .venv/.ready ## Print the generated passwords of the stack
	@$(OPS) password --stack $(STACK)

.PHONY: secret
secret: .venv/.ready ## Store a secret: make secret NAME=slack-webhook (reads standard input); REMOVE=1 removes it
	@$(OPS) secret --stack $(STACK) --name "$(NAME)" $(if $(REMOVE),--remove)

.PHONY: secrets
secrets: .venv/.ready ## List the secrets of the stack: set, generated or missing, and their age; never a value
	@$(OPS) secrets --stack $(STACK)

.PHONY: rotate
rotate: .venv/.ready ## Give a secret another value and deploy it: make rotate NAME=grafana-admin-password
	@$(OPS) rotate --stack $(STACK) --name "$(NAME)"

.PHONY: backup
backup: .venv/.ready ## Back up the data of the running stack now (needs backup: {enabled: true})
	@$(OPS) backup --stack $(STACK)

.PHONY: backups
backups: .venv/.ready ## Show the backups at the destination, and what has none
	@$(OPS) backups --stack $(STACK)

.PHONY: restore
restore: .venv/.ready ## Fill the volumes of a stack that does not run: FROM=latest, or an ID; WITHOUT=jaeger FROM_STACK=prod
	@$(OPS) restore --stack $(STACK) --from "$(FROM)" $(if $(FROM_STACK),--from-stack $(FROM_STACK)) \
		$(if $(WITHOUT),--without "$(WITHOUT)")

.PHONY: drill
drill: .venv/.ready ## Restore the newest backups into a stack of its own, compare what both answer, and remove it
	@$(OPS) drill --stack $(STACK)

.PHONY: upgrade
upgrade: .venv/.ready ## Bring images to the checkout's versions one by one, after a backup: LIST=1 ONLY=loki,grafana
	@$(OPS) upgrade --stack $(STACK) $(if $(LIST),--list) $(if $(ONLY),--only "$(ONLY)") \
		$(if $(WITHOUT_BACKUP),--without-backup)

.PHONY: state-move
state-move: .venv/.ready ## Move the state and secrets of the stack to another Pulumi backend: TO=s3://bucket
	@$(OPS) state-move --stack $(STACK) --to "$(TO)" $(if $(SECRETS_PROVIDER),--secrets-provider "$(SECRETS_PROVIDER)")

.PHONY: state-restore
state-restore: .venv/.ready ## Write the state and secrets of the stack from its backups to a backend that has none: FROM=ID
	@$(OPS) state-restore --stack $(STACK) $(if $(FROM),--from "$(FROM)")

.PHONY: render
render: .venv/.ready ## Write every document of the stack to build/render, or a Compose file: FORMAT=compose
	@$(OPS) render --stack $(STACK) $(if $(OUTPUT),--output $(OUTPUT)) $(if $(FORMAT),--format $(FORMAT))

.PHONY: diff
diff: .venv/.ready ## Say what the working tree changes in what is deployed, against BASE=main; ALL=1 for every stack
	@$(OPS) diff --stack $(STACK) $(if $(BASE),--base "$(BASE)") $(if $(ALL),--all-stacks) \
		$(if $(PROMETHEUS),--prometheus "$(PROMETHEUS)")

.PHONY: init
init: .venv/.ready ## Write the files of a new stack for a service: make init STACK=shop URL=http://localhost:9464/metrics
	@$(OPS) init --stack $(STACK) "$(URL)" $(if $(NAME),--name "$(NAME)")

.PHONY: describe
describe: .venv/.ready ## Read what a service exposes and print its YAML: make describe URL=http://localhost:9464/metrics
	@$(OPS) describe "$(URL)" $(if $(NAME),--name "$(NAME)")

.PHONY: capacity
capacity: .venv/.ready ## Show how much memory and disk the stack will need
	@$(OPS) capacity --stack $(STACK)

.PHONY: mcp
mcp: .venv/.ready ## Print what an AI client needs to ask the stack (.mcp.json), and try it: CLIENT=name SHOW=1
	@$(OPS) mcp --stack $(STACK) $(if $(CLIENT),--client "$(CLIENT)") $(if $(SHOW),--show-token)

.PHONY: routes
routes: .venv/.ready ## Show who is notified of an alert, and why: make routes severity=critical service=api
	@$(OPS) routes --stack $(STACK) --labels '$(subst ','\'',$(filter-out STACK=%,$(MAKEOVERRIDES)))'

.PHONY: alert-test
alert-test: .venv/.ready ## Send a marked alert to every receiver, or to RECEIVER, and show what each answered
	@$(OPS) alert-test --stack $(STACK) $(if $(RECEIVER),--receiver $(RECEIVER)) $(if $(SEVERITY),--severity $(SEVERITY))

.PHONY: down
down: .venv/.ready ## Remove the stack; data volumes stay unless PURGE=1
	@$(OPS) down --stack $(STACK) $(if $(PURGE),--purge)

.PHONY: toolchain
toolchain: .venv/.ready ## Get every tool and image onto this machine, deploy nothing
	@$(PYTHON) -m toolchain ensure all

.PHONY: test
test: .venv/.ready ## Run the unit tests (needs no Docker)
	@$(PYTHON) -m toolchain ensure test
	@eval "$$($(PYTHON) -m toolchain env)" && \
		$(COMPILED) -m pytest -n $(WORKERS) --dist worksteal -m "not exhaustive" $(UNIT)

.PHONY: test-exhaustive
test-exhaustive: .venv/.ready ## Run the unit tests that try every key, day, step, page and alert, and the bounds
	@$(PYTHON) -m toolchain ensure test
	@eval "$$($(PYTHON) -m toolchain env)" && $(COMPILED) -m pytest -n $(WORKERS) --dist worksteal -m exhaustive $(UNIT)

.PHONY: coverage
coverage: .venv/.ready ## Run the unit tests and fail below the branch coverage of pyproject.toml
	@$(PYTHON) -m toolchain ensure test
	@eval "$$($(PYTHON) -m toolchain env)" && $(COMPILED) -m pytest -n $(WORKERS) --dist worksteal --cov --cov-report=term $(UNIT)

.PHONY: cluster
cluster: .venv/.ready ## Have a Kubernetes cluster with every image in it, and print its kubeconfig's path
	@$(PYTHON) -m toolchain cluster $(if $(CONTEXT),--context $(CONTEXT))

.PHONY: test-cluster
test-cluster: .venv/.ready ## Test the cluster of `make cluster` itself (starts it, kills it, starts it again)
	@$(PYTHON) -m pytest tests/kubernetes

.PHONY: cluster-down
cluster-down: .venv/.ready ## Stop the cluster of `make cluster`
	@$(PYTHON) -m toolchain cluster --stop

.PHONY: golden
golden: .venv/.ready ## Regenerate golden files, JSON Schemas, runbooks and the reference
	@$(PYTHON) -m cli.schema
	@GOLDEN_UPDATE=1 $(PYTHON) -m pytest -q tests/test_golden.py

.PHONY: e2e
e2e: e2e-local e2e-systems e2e-tcp e2e-newest e2e-ssh e2e-kubernetes $(if $(CI),,e2e-upgrade) ## Run the end-to-end suite on local and remote engines (TCP with TLS, SSH), old and new

.PHONY: e2e-local
e2e-local: .venv/.ready ## Run the end-to-end suite on the local engine
	@$(PYTHON) -m toolchain up-prerequisites
	@eval "$$($(PYTHON) -m toolchain env)" && $(PYTHON) -m pytest $(TESTS)

.PHONY: e2e-systems
e2e-systems: .venv/.ready ## Run every system's own stack, or SYSTEMS="plue ...": targets, logs, panels, alerts fired
	@$(PYTHON) -m toolchain up-prerequisites
	@eval "$$($(PYTHON) -m toolchain env)" && E2E_SYSTEMS="$(SYSTEMS)" $(PYTHON) -m pytest tests/e2e/test_systems.py

.PHONY: e2e-upgrade
e2e-upgrade: .venv/.ready ## Deploy by an older version of the program, of images and of providers; upgrade all (not in CI)
	@$(PYTHON) -m toolchain up-prerequisites
	@eval "$$($(PYTHON) -m toolchain env)" && $(PYTHON) -m pytest -s $(patsubst %,tests/e2e/test_%.py,upgrade older_versions providers)
	@$(PYTHON) -m toolchain ensure kubernetes
	@eval "$$($(PYTHON) -m toolchain env)" && $(PYTHON) -m pytest -s tests/e2e/test_providers.py --engine kubernetes

# the whole suite runs over TCP on the newest engine; on one of the distribution's generation what its own life changes
REMOTE := up no_change in_place host

.PHONY: e2e-tcp
e2e-tcp: TESTS = $(patsubst %,tests/e2e/test_%.py,$(REMOTE) containers daemons engines recovery)
e2e-tcp: .venv/.ready ## Run the main part, and what restarts an engine, on a second one, reached over TCP with TLS
	@$(PYTHON) -m toolchain up-prerequisites
	@eval "$$($(PYTHON) -m toolchain env)" && $(PYTHON) -m pytest $(TESTS) --engine tcp

.PHONY: e2e-newest
e2e-newest: .venv/.ready ## Run the end-to-end suite on Docker Engine 29, which the toolchain builds
	@$(PYTHON) -m toolchain up-prerequisites
	@eval "$$($(PYTHON) -m toolchain env)" && $(PYTHON) -m pytest $(TESTS) --engine newest

.PHONY: e2e-ssh
e2e-ssh: .venv/.ready ## Run the main part of the end-to-end suite on an engine reached over SSH
	@$(PYTHON) -m toolchain up-prerequisites
	@eval "$$($(PYTHON) -m toolchain env)" && $(PYTHON) -m pytest $(REMOTE:%=tests/e2e/test_%.py) --engine ssh

CONTRACT ?= up no_change secrets machines logs in_place rotate alerts mcp otel guests $(ON_CLUSTER)

.PHONY: e2e-kubernetes
e2e-kubernetes: TESTS = $(CONTRACT:%=tests/e2e/test_%.py)
e2e-kubernetes: .venv/.ready ## Run the end-to-end suite on a real Kubernetes cluster
	@$(PYTHON) -m toolchain ensure kubernetes
	@eval "$$($(PYTHON) -m toolchain env)" && $(PYTHON) -m pytest $(TESTS) --engine kubernetes

.PHONY: bench
bench: .venv/.ready ## Measure, next to a peer or a limit in the same run
	@$(PYTHON) -m toolchain up-prerequisites
	@$(COMPILED) -m bench

.PHONY: bench-kubernetes
bench-kubernetes: .venv/.ready ## Measure a stack's life on a cluster, next to kubectl with the same objects
	@$(PYTHON) -m toolchain ensure kubernetes
	@$(PYTHON) -m bench --kubernetes

.PHONY: lint
lint: .venv/.ready ## Check style, types, YAML, workflows, generated files and commit messages
	@$(PYTHON) -m toolchain ensure test
	@.venv/bin/ruff format --check . && .venv/bin/ruff check .
	@eval "$$($(PYTHON) -m toolchain env)" && .venv/bin/mypy . && actionlint
	@.venv/bin/yamllint --strict .
	@$(PYTHON) -m cli.schema --check
	@$(PYTHON) -m cli.commits $(COMMITS_AFTER)
