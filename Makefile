# Everything starts from python3, pip and make: each target installs what it needs, below this folder.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

UV_VERSION := 0.13.9
UV ?= .venvs/uv/bin/uv
STAGE ?= homolog
# Name=Value of the template, for one deployment.
PARAMETERS ?=
STATE ?= .vsl
PYTEST_ARGS ?=
# More than there are cores: the end-to-end tests wait half of their time.
WORKERS := -n 4

# Behind a company's proxy its certificate is in the system's store.
export UV_SYSTEM_CERTS := true
export SAM_CLI_TELEMETRY := 0
export AWS_EC2_METADATA_DISABLED := true
# Some machines forbid Python to keep bytecode: every worker of the tests would rewrite all of them anew.
export PYTHONDONTWRITEBYTECODE :=

PYTHON := .venv/bin/python
API_DOCUMENT := functions/get_openapi/openapi.json
SAM := .venvs/sam/bin/sam
SYNC = UV_PYTHON="$(CURDIR)/$(PYTHON)" $(UV) sync --quiet --frozen --compile-bytecode

.PHONY: help setup stack demo up down test test-all test-rest browser unit faults fuzz chaos bench scale check docs format requirements \
  openapi renderer api-lint api-rules clients typescript \
  preflight build deploy clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

setup: .venvs/.ready ## install everything the other targets need

stack: .venvs/.stack # install what the local stack needs, and no tools

demo: stack ## one image, one video and one piece of music, all the way through, on this machine
	@.venv/bin/vsl demo --state $(STATE)/demo

up: stack ## start the local stack (PostgreSQL, Valkey, AWS engine, Replicate stand-in)
	@.venv/bin/vsl up --detach --state $(STATE)

down: stack ## stop it
	@.venv/bin/vsl down --state $(STATE)

test: setup .venvs/sam/.ready browser typescript .venvs/stock/.ready ## every suite in its short form: minutes, not a quarter of an hour
	@$(PYTHON) -m pytest $(WORKERS) --part short --junit-xml=test-output/junit.xml $(PYTEST_ARGS)

test-all: setup .venvs/sam/.ready browser typescript .venvs/stock/.ready ## every test, with coverage
	@$(PYTHON) -m pytest $(WORKERS) -m "not sampled" --cov --cov-report=term:skip-covered \
	  --junit-xml=test-output/junit-all.xml $(PYTEST_ARGS)

test-rest: setup .venvs/sam/.ready browser typescript .venvs/stock/.ready # what `make test` leaves out
	@$(PYTHON) -m pytest $(WORKERS) --part rest --junit-xml=test-output/junit-rest.xml $(PYTEST_ARGS)

browser: setup # the Chromium that the console is tested in
	@$(PYTHON) -m tests.support.browser

unit: setup ## the unit tests alone
	@$(PYTHON) -m pytest $(WORKERS) tests/unit $(PYTEST_ARGS)

faults: setup ## every effect of a job, failed in every way (tests/fault)
	@FAULT_PAIRS=$(or $(FAULT_PAIRS),2000) $(PYTHON) -m pytest -q -s tests/fault $(PYTEST_ARGS)

fuzz: setup ## the API document against a running stack, every check of schemathesis, and Replicate's routes (SEED=, EXAMPLES=)
	@FUZZ_SEED=$(or $(SEED),$$RANDOM) FUZZ_EXAMPLES=$(or $(EXAMPLES),100) \
	  $(PYTHON) -m pytest -q tests/e2e/test_api_document.py tests/e2e/test_replicate_fuzz.py $(PYTEST_ARGS)

chaos: setup ## 200 jobs while workers are killed, webhooks lost and stores torn down (JOBS=, SEED=)
	@$(PYTHON) -m tests.chaos --jobs $(or $(JOBS),200) --seed $(or $(SEED),0)

bench: setup .venvs/sam/.ready .venvs/bench/.ready ## measure beside peers and limits (BENCH="status intake" for some)
	@.venvs/bench/bin/python -m benchmarks $(BENCH)

scale: setup .venvs/bench/.ready ## write docs/cost-and-scale.md with its pictures, and docs/pacing.md, as they are reckoned
	@.venvs/bench/bin/python -m benchmarks.scale
	@$(PYTHON) -m benchmarks.pacing

# $(call checked,what it is,commands): says how long they took; what they print is shown if they fail.
define checked
	@began=$$SECONDS; mkdir -p test-output; \
	if ( $(2) ) > test-output/check.log 2>&1; then printf '%5d s  %s\n' $$((SECONDS - began)) '$(1)'; \
	else cat test-output/check.log; printf 'FAILED   %s\n' '$(1)'; exit 1; fi
endef

check: setup .venvs/sam/.ready .venvs/security/.ready ## format, lint, types, rules, template, security, secrets
	$(call checked,ruff: format,.venv/bin/ruff format --check --quiet .)
	$(call checked,ruff: lint,.venv/bin/ruff check --quiet .)
	$(call checked,mypy: types,.venv/bin/mypy)
	$(call checked,import-linter: who may import whom,.venv/bin/lint-imports)
	$(call checked,rules of the state machines,$(PYTHON) -m pytest -q tests/unit/statemachines)
	$(call checked,sam validate,PATH="$(CURDIR)/.venv/bin:$$PATH" $(SAM) validate --lint)
	$(call checked,cfn-lint: templates as written,.venvs/sam/bin/cfn-lint template.yaml deployment/github.yaml)
	$(call checked,cfn-lint: what the template becomes, \
	  for variant in $$($(PYTHON) -m tests.support.transformed test-output/transformed); do \
	    .venvs/sam/bin/cfn-lint --ignore-checks W -- $$variant || exit 1; \
	  done)
	@$(MAKE) api-lint
	$(call checked,bandit: security of the code,.venvs/security/bin/bandit --quiet --recursive \
	  --configfile pyproject.toml layers/core/vsl functions cli devstack database)
	$(call checked,checkov: security of the template,.venvs/security/bin/checkov --config-file .checkov.yaml)
	@$(PYTHON) -m devstack.audit
	@# 3: known findings have moved to other lines, and the baseline was brought up to date.
	$(call checked,detect-secrets,.venv/bin/detect-secrets-hook --baseline .secrets.baseline \
	  $$(git ls-files -- ":!functions/get_openapi/site/scalar-*") || [ $$? -eq 3 ])

# Node.js is not one of the things that every machine has: without it, or with an old one, this says so.
NODE_FITS := node -e 'const [major, minor] = process.versions.node.split(".").map(Number); process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)'

api-lint: setup # the recommended rules of Spectral and Redocly, over the document that clients are made from
	@if command -v npm > /dev/null && $(NODE_FITS) 2> /dev/null; then $(MAKE) api-rules; \
	else echo "SKIPPED  spectral and redocly: they need npm and Node.js 20.19 or later"; fi

api-rules: .venvs/api/.ready
	$(call checked,spectral: the API document, \
	  .venvs/api/node_modules/.bin/spectral lint --ruleset api/.spectral.yaml --fail-severity hint $(API_DOCUMENT))
	$(call checked,redocly: the API document,REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true \
	  .venvs/api/node_modules/.bin/redocly lint --config api/redocly.yaml --max-problems 100 $(API_DOCUMENT) \
	  && ! grep -q 'You have [0-9]* warning' test-output/check.log)

docs: .venvs/docs/.ready ## the documents as a web site, in test-output/site
	@NO_MKDOCS_2_WARNING=1 .venvs/docs/bin/mkdocs build --quiet --strict

format: setup ## apply the formatter and the safe fixes
	@.venv/bin/ruff check --fix --quiet . || true
	@.venv/bin/ruff format .

requirements: setup ## write the layers' requirements from the lock file
	@for layer in runtime media; do \
	  $(UV) export --quiet --frozen --only-group layer-$$layer --no-header --no-annotate \
	    -o layers/$$layer/requirements.txt > /dev/null; \
	done

openapi: setup ## write what readers of the API are given from the files in api/
	@$(PYTHON) -m devstack.publish

clients: setup ## write the types of the clients in clients/ from the API document
	@cd clients/python && "$(CURDIR)/.venv/bin/datamodel-codegen" --output vsl_client/types.py
	@$(MAKE) typescript
	@cd clients/typescript && [ ! -d node_modules ] || node generate.mjs ../../$(API_DOCUMENT) src/types.ts

typescript: # what the TypeScript client is made and tested with, and stock clients of other APIs
	@if command -v npm > /dev/null && $(NODE_FITS) 2> /dev/null; then \
	  $(MAKE) clients/typescript/node_modules/.ready tests/stock/replicate/node_modules/.ready; \
	else echo "SKIPPED  the TypeScript client: it needs npm and Node.js 20.19 or later"; fi

renderer: setup ## fetch the pinned renderer of the API page from npm again, verified
	@$(PYTHON) -m devstack.renderer

preflight: setup # what `make deploy` needs of the account
	@$(PYTHON) -m cli.release.preflight $(STAGE) $(PARAMETERS)

build: setup .venvs/sam/.ready ## sam build for STAGE, finished for AWS and with compiled bytecode (half a cold start's imports)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' || \
	  { echo "A build is for Lambda's Python 3.13, and this is $$($(PYTHON) --version): install 3.13, then make clean setup." >&2; exit 1; }
	@PATH="$(CURDIR)/.venv/bin:$$($(PYTHON) -c 'import os, sys; print(os.path.dirname(sys._base_executable))'):$$PATH" $(SAM) build --config-env $(STAGE)
	@$(PYTHON) -m cli.release.finish .aws-sam/build/template.yaml
	@cd .aws-sam/build; for part in *Layer *Function; do \
	  case $$part in *Layer) to=/opt;; *) to=/var/task;; esac; \
	  "$(CURDIR)/$(PYTHON)" -m compileall -q --invalidation-mode unchecked-hash -s "$$part" -p "$$to" "$$part"; \
	done

deploy: preflight build ## sam deploy to STAGE (homolog or production; PARAMETERS="Name=Value …")
	@PATH="$(CURDIR)/.venv/bin:$$PATH" $(PYTHON) -m cli.release.deploy $(STAGE) $(PARAMETERS) -- $(DEPLOY_ARGS)

clean: ## remove everything the other targets made
	@[ ! -x .venv/bin/vsl ] || .venv/bin/vsl down --state $(STATE) > /dev/null 2>&1 || true
	@rm -rf .venv .venvs .vsl .aws-sam vsl-demo test-output .coverage .coverage.* \
	  clients/typescript/node_modules tests/stock/replicate/node_modules tests/stock/javascript/node_modules clients/typescript/dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .schemathesis

$(UV):
	@echo "Fetching uv $(UV_VERSION) …"
	@python3 -m pip install --quiet --disable-pip-version-check --target .venvs/uv uv==$(UV_VERSION)

# The engine and SAM pin a botocore of their own, and the functions must see only what their layers
# bring: hence an environment each (docs/decisions/0003-environments.md).
# uv links the packages to its cache, so what stands in several environments is on the disk once. The
# first step may find tools in .venv, and leaves them there.
.venvs/.stack: uv.lock pyproject.toml | $(UV)
	@python=$$(python3 devstack/find_python.py $(UV)); \
	  echo "Installing the local stack …"; \
	  UV_PYTHON=$$python $(UV) sync --quiet --frozen --compile-bytecode --inexact --no-default-groups --group devstack
	@UV_PROJECT_ENVIRONMENT=.venvs/functions $(SYNC) --no-install-project \
	  --only-group layer-runtime --only-group layer-media --only-group lambda-runtime
	@UV_PROJECT_ENVIRONMENT=.venvs/engine $(SYNC) --no-install-project --only-group engine
	@touch $@

.venvs/.ready: .venvs/.stack
	@echo "Installing the tools …"
	@$(SYNC)
	@touch $@

.venvs/sam/.ready: .venvs/.stack
	@echo "Installing the SAM command line …"
	@UV_PROJECT_ENVIRONMENT=.venvs/sam $(SYNC) --no-install-project --only-group sam
	@touch $@

.venvs/security/.ready: .venvs/.stack
	@echo "Installing bandit, checkov and pip-audit …"
	@UV_PROJECT_ENVIRONMENT=.venvs/security $(SYNC) --no-install-project --only-group security
	@touch $@

.venvs/docs/.ready: .venvs/.stack
	@echo "Installing what builds the web site …"
	@UV_PROJECT_ENVIRONMENT=.venvs/docs $(SYNC) --no-install-project --only-group docs
	@touch $@

.venvs/api/.ready: api/package.json api/package-lock.json api/.npmrc
	@echo "Installing spectral and redocly …"
	@mkdir -p $(@D); cp $^ $(@D)
	@npm ci --silent --prefix $(@D)
	@touch $@

clients/typescript/node_modules/.ready: clients/typescript/package.json clients/typescript/package-lock.json clients/typescript/.npmrc
	@echo "Installing what the TypeScript client is made with …"
	@npm ci --silent --prefix clients/typescript
	@touch $@

.venvs/stock/.ready: .venvs/.stack tests/stock/python/uv.lock tests/stock/javascript/package-lock.json
	@echo "Installing clients of other APIs …"
	@UV_PROJECT_ENVIRONMENT="$(CURDIR)/.venvs/stock" $(SYNC) --project tests/stock/python
	@if command -v npm > /dev/null && $(NODE_FITS) 2> /dev/null; then npm ci --silent --prefix tests/stock/javascript; \
	else echo "SKIPPED  clients from npm: they need npm and Node.js 20.19 or later"; fi
	@touch $@

tests/stock/replicate/node_modules/.ready: tests/stock/replicate/package.json tests/stock/replicate/package-lock.json tests/stock/replicate/.npmrc
	@echo "Installing Replicate's JavaScript client …"
	@npm ci --silent --prefix tests/stock/replicate
	@touch $@

.venvs/bench/.ready: .venvs/.stack
	@echo "Installing what the benchmarks compare with …"
	@UV_PROJECT_ENVIRONMENT=.venvs/bench $(SYNC) --no-default-groups --group bench
	@touch $@
