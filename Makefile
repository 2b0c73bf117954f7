# Everything starts from python3, pip and make: each target installs what it needs, below this folder.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

UV_VERSION := 0.13.9
UV ?= .venvs/uv/bin/uv
STAGE ?= homolog
STATE ?= .vsl
PYTEST_ARGS ?=
# More than there are cores: the end-to-end tests mostly wait.
WORKERS := -n 3

export UV_LINK_MODE := copy
# Behind a company's proxy its certificate is in the system's store.
export UV_SYSTEM_CERTS := true
export SAM_CLI_TELEMETRY := 0
export AWS_EC2_METADATA_DISABLED := true

PYTHON := .venv/bin/python
SAM := .venvs/sam/bin/sam
SYNC = $(UV) sync --quiet --frozen --compile-bytecode

.PHONY: help setup demo up down test browser unit faults fuzz chaos bench scale check format requirements openapi build deploy clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

setup: .venvs/.ready ## install everything the other targets need

demo: setup ## one image, one video and one piece of music, all the way through, on this machine
	@.venv/bin/vsl demo --state $(STATE)/demo

up: setup ## start the local stack (PostgreSQL, Valkey, AWS engine, Replicate stand-in)
	@.venv/bin/vsl up --detach --state $(STATE)

down: setup ## stop it
	@.venv/bin/vsl down --state $(STATE)

test: setup .venvs/sam/.ready browser ## every test, with branch coverage
	@$(PYTHON) -m pytest $(WORKERS) --cov --cov-report=term:skip-covered \
	  --junit-xml=test-output/junit.xml $(PYTEST_ARGS)

browser: setup # the Chromium that the console is tested in
	@$(PYTHON) -m tests.support.browser

unit: setup ## the unit tests alone
	@$(PYTHON) -m pytest $(WORKERS) tests/unit $(PYTEST_ARGS)

faults: setup ## every effect of a job, failed in every way (tests/fault)
	@FAULT_PAIRS=$(or $(FAULT_PAIRS),2000) $(PYTHON) -m pytest -q -s tests/fault $(PYTEST_ARGS)

fuzz: setup ## the API document against a running stack: every check of schemathesis (SEED=, EXAMPLES=)
	@FUZZ_SEED=$(or $(SEED),$$RANDOM) FUZZ_EXAMPLES=$(or $(EXAMPLES),100) \
	  $(PYTHON) -m pytest -q tests/e2e/test_api_document.py $(PYTEST_ARGS)

chaos: setup ## 200 jobs while workers are killed, webhooks lost and stores torn down (JOBS=, SEED=)
	@$(PYTHON) -m tests.chaos --jobs $(or $(JOBS),200) --seed $(or $(SEED),0)

bench: setup .venvs/sam/.ready .venvs/bench/.ready ## measure beside peers and limits (BENCH="status intake" for some)
	@.venvs/bench/bin/python -m benchmarks $(BENCH)

scale: setup .venvs/bench/.ready ## write docs/cost-and-scale.md and its pictures from the template, the prices and the quotas
	@.venvs/bench/bin/python -m benchmarks.scale

check: setup .venvs/sam/.ready .venvs/security/.ready ## format, lint, types, rules, template, security, secrets
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/ruff check --quiet .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@$(PYTHON) -m pytest -q tests/unit/statemachines
	@PATH="$(CURDIR)/.venv/bin:$$PATH" $(SAM) validate --lint
	@.venvs/sam/bin/cfn-lint template.yaml deployment/github.yaml
	@.venvs/security/bin/bandit --quiet --recursive --configfile pyproject.toml \
	  layers/core/vsl functions devstack database
	@.venvs/security/bin/checkov --config-file .checkov.yaml
	@$(PYTHON) -m devstack.audit
	@# 3: known findings have moved to other lines, and the baseline was brought up to date.
	@.venv/bin/detect-secrets-hook --baseline .secrets.baseline $$(git ls-files) || [ $$? -eq 3 ]

format: setup ## apply the formatter and the safe fixes
	@.venv/bin/ruff check --fix --quiet . || true
	@.venv/bin/ruff format .

requirements: setup ## write the layers' requirements from the lock file
	@for layer in runtime media; do \
	  $(UV) export --quiet --frozen --only-group layer-$$layer --no-header --no-annotate \
	    -o layers/$$layer/requirements.txt > /dev/null; \
	done

openapi: setup ## write the published API document from api/openapi.yaml
	@$(PYTHON) -m devstack.publish

build: setup .venvs/sam/.ready ## sam build, with compiled bytecode (halves the imports of a cold start)
	@PATH="$(CURDIR)/.venv/bin:$$PATH" $(SAM) build
	@$(PYTHON) -m devstack.release.stamp .aws-sam/build/template.yaml
	@cd .aws-sam/build; for part in *Layer *Function; do \
	  case $$part in *Layer) to=/opt;; *) to=/var/task;; esac; \
	  $(CURDIR)/$(PYTHON) -m compileall -q --invalidation-mode unchecked-hash -s $$part -p $$to $$part; \
	done

deploy: build ## sam deploy to STAGE (homolog or production)
	@PATH="$(CURDIR)/.venv/bin:$$PATH" $(SAM) deploy --config-env $(STAGE) $(DEPLOY_ARGS)

clean: ## remove everything the other targets made
	@[ ! -x .venv/bin/vsl ] || .venv/bin/vsl down --state $(STATE) > /dev/null 2>&1 || true
	@rm -rf .venv .venvs .vsl .aws-sam vsl-demo test-output .coverage .coverage.* \
	  .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .schemathesis

$(UV):
	@echo "Fetching uv $(UV_VERSION) …"
	@python3 -m pip install --quiet --disable-pip-version-check --target .venvs/uv uv==$(UV_VERSION)

# The engine and SAM pin a botocore of their own, and the functions must see only what their layers
# bring: hence an environment each (docs/decisions/0003-environments.md).
.venvs/.ready: uv.lock pyproject.toml .python-version | $(UV)
	@echo "Installing …"
	@$(SYNC)
	@UV_PROJECT_ENVIRONMENT=.venvs/functions $(SYNC) --no-install-project \
	  --only-group layer-runtime --only-group layer-media --only-group lambda-runtime
	@UV_PROJECT_ENVIRONMENT=.venvs/engine $(SYNC) --no-install-project --only-group engine
	@touch $@

.venvs/sam/.ready: uv.lock pyproject.toml .python-version | $(UV)
	@echo "Installing the SAM command line …"
	@UV_PROJECT_ENVIRONMENT=.venvs/sam $(SYNC) --no-install-project --only-group sam
	@touch $@

.venvs/security/.ready: uv.lock pyproject.toml .python-version | $(UV)
	@echo "Installing bandit, checkov and pip-audit …"
	@UV_PROJECT_ENVIRONMENT=.venvs/security $(SYNC) --no-install-project --only-group security
	@touch $@

.venvs/bench/.ready: uv.lock pyproject.toml .python-version | $(UV)
	@echo "Installing what the benchmarks compare with …"
	@UV_PROJECT_ENVIRONMENT=.venvs/bench $(SYNC) --no-default-groups --group bench
	@touch $@
