# `make` lists the targets. Every recipe is short; the programs behind them live in kind/ and tests/.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := PYTHONPATH=operator:api_server:kind:kind/images/qdrant-edge:. $(BIN)/python -m
SYNCED := $(VENV)/.synced
PROTOC = $(BIN)/python -m grpc_tools.protoc -Isomafractalmemory=api_server/somafractalmemory/proto
PROTO := somafractalmemory/memory.proto
READY := bash kind/preflight.sh $(PYTHON)
.NOTPARALLEL:

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{ printf "  \033[1m%-18s\033[0m %s\n", $$1, $$2 }'

##-- A running system -------------------------------------------------------------------------------------------------
.PHONY: up down status images kubeconfig audit-log bare-up
up: ready-up sync ## Cluster, images, operator, a Ready SomaMemory, one memory stored and recalled
	@$(RUN) localcluster up

down: sync ## Remove the local cluster and everything in it
	@$(RUN) localcluster down

status: sync ## Say how the local cluster and its SomaMemory stand
	@$(RUN) localcluster status

images: ready-images sync ## Build every image that the local cluster needs
	@$(RUN) localimages build

kubeconfig: sync ## Print the path of the local cluster's kubeconfig (use: export KUBECONFIG=$$(make -s kubeconfig))
	@$(RUN) localcluster kubeconfig

audit-log: sync ## Print the path of the local cluster's audit log
	@$(RUN) localcluster audit-log

bare-up: ready-bare-up sync ## `make up` in a bare Debian of its own: only git, make, Python and Go (as root, on Debian)
	@$(RUN) barehost

##-- The environment --------------------------------------------------------------------------------------------------
.PHONY: sync lock packages
ready-%: # what the target % needs of this machine is installed, or all of it is named, before anything else
	@$(READY) $*

sync: $(SYNCED) ## Create the virtual environment from the lock file

$(SYNCED): requirements.lock pyproject.toml
	@bash kind/bootstrap.sh $(PYTHON) $(VENV)
	@touch $@

lock: sync ## Resolve the dependencies of pyproject.toml again into requirements.lock
	$(BIN)/uv pip compile -q --generate-hashes --no-annotate --no-header --no-emit-index-url --universal --python-version 3.11 --all-extras pyproject.toml -o requirements.lock

packages: ready-test ## Install the Debian packages that `make test` needs (as root; elsewhere they are named)

##-- Checks -----------------------------------------------------------------------------------------------------------
.PHONY: check fmt fmt-check lint types imports unit generated
check: fmt-check lint types imports generated unit ## Format, lint, types, import contracts, generated files, unit tests

fmt: sync ## Format the code
	$(BIN)/ruff format -q . && $(BIN)/ruff check -q --fix .

fmt-check: sync
	$(BIN)/ruff format -q --check .

lint: sync
	$(BIN)/ruff check -q . && $(BIN)/bandit -q -c pyproject.toml -r operator api_server kind

types: sync
	$(BIN)/mypy

imports: sync
	PYTHONPATH=operator:api_server $(BIN)/lint-imports --no-logo

unit: sync ## Unit tests and the contracts on the in-process adapters (no network)
	$(BIN)/pytest -q -n 2 --dist worksteal tests/unit tests/contracts

generated: sync
	@$(RUN) somamemory_operator crd | diff -u crds/somamemory.yaml - || { echo "crds/somamemory.yaml is stale: run 'make crds'" >&2; exit 1; }
	@new=$$(mktemp -d) && trap 'rm -rf "$$new"' EXIT && $(PROTOC) --python_out="$$new" --pyi_out="$$new" --grpc_python_out="$$new" $(PROTO) && \
	for file in "$$new"/somafractalmemory/*; do diff -q "$$file" "api_server/somafractalmemory/$${file##*/}" >&2 || { echo "the modules of memory.proto are stale: run 'make protos'" >&2; exit 1; }; done

.PHONY: crds openapi protos
protos: sync ## Write the Python modules of memory.proto
	@$(PROTOC) --python_out=api_server --pyi_out=api_server --grpc_python_out=api_server $(PROTO)

crds: sync ## Write the CRD from the models, into crds/ and the chart
	@$(RUN) somamemory_operator crd > crds/somamemory.yaml && $(RUN) somamemory_operator crd --helm > charts/somamemory-operator/templates/crd.yaml

openapi: sync ## Write the API's OpenAPI document
	@$(RUN) somafractalmemory openapi > openapi.json

##-- Tests ------------------------------------------------------------------------------------------------------------
.PHONY: test prepare integration e2e bench
test: export REQUIRE_SERVICES = 1
test: ready-test prepare check integration ## Everything: checks, real services, and the end-to-end tests on a real cluster
	@$(MAKE) up
	@$(MAKE) e2e

prepare: ready-prepare sync ## Build and fetch all that the tests start (slow once, then cached)
	@$(RUN) localcluster prepare

integration: ready-integration sync ## Tests with real Postgres, Redis, Kafka, Qdrant engine and API server
	REQUIRE_SERVICES=1 $(BIN)/pytest -q -n 2 --dist loadfile --timeout=300 tests/integration

e2e: sync ## Scenarios on the local cluster that `make up` started
	$(BIN)/pytest -q tests/e2e --timeout=900

bench: ready-bench sync ## Benchmarks on fresh private stores, as JSON: make bench NAMES="writes recall" RUNS=5
	@$(RUN) tests.bench --runs $(or $(RUNS),5) $(NAMES)

##-- Documentation ----------------------------------------------------------------------------------------------------
.PHONY: docs-build docs-serve clean
docs-build: sync ## Build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict -q

docs-serve: sync ## Preview the documentation on 127.0.0.1:8008
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve -a 127.0.0.1:8008

clean: ## Remove what the tools leave in the checkout
	rm -rf $(VENV) site dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
