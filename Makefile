# Chatcart. `make run` and `make test` need git, make and Python; they bring the rest.
SHELL := /bin/bash -euo pipefail
.DEFAULT_GOAL := help

VENVS := .venvs
COMMERCE := $(VENVS)/commerce/bin
DIALOGUE := $(VENVS)/dialogue/bin
UV := $(shell command -v uv 2>/dev/null || echo $(VENVS)/uv/bin/uv)
BOOTSTRAP := $(if $(filter $(VENVS)/%,$(UV)),$(UV),)
STAMP := .synced

export RASA_TELEMETRY_ENABLED := false
export PYTHONWARNINGS := ignore
export TF_CPP_MIN_LOG_LEVEL := 3
export SQLALCHEMY_SILENCE_UBER_WARNING := 1

.PHONY: review bench-llm parse-orders parse-intents bench-understanding nlu-report help run shell test coverage test-browser test-faults test-channel fuzz import-menu lint-menu check format lock environments clean reconcile staff owner export-customer rotate-keys bench-shop bench-console bench-channel

help: ## What there is to do
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

run: environments ## The whole bot on this machine, and the address of the local WhatsApp
	@exec $(COMMERCE)/python -m deploy.local run

shell: environments ## The same bot in the terminal (rasa shell)
	@exec $(COMMERCE)/python -m deploy.local shell

test: environments ## Every test that needs no browser and no hour
	@$(COMMERCE)/python -m tests.run

test-browser: environments ## The console and the local WhatsApp in headless Chromium (PICTURES=1: those of docs/ anew)
	@PICTURES=$(PICTURES) $(COMMERCE)/python -m tests.browser.run

test-faults: environments ## Every promise about money and stock, broken into: RUNS=20 (SEED=n repeats a run)
	@$(COMMERCE)/python -m tests.faults.run --runs $(or $(RUNS),1) $(if $(SEED),--seed $(SEED))

coverage: environments ## How much of shop/ its tests reach, branches included; fails below 95 %
	@COVERAGE_FILE=.state/coverage $(COMMERCE)/python -m pytest tests/shop tests/actions tests/jobs tests/web tests/deploy tests/faults/fast --cov=shop --cov-branch --cov-report=term-missing:skip-covered --cov-fail-under=95

bench-channel: environments ## Messages per second through the webhook, beside stock Rasa: QUICK=1, PLOT=1, PROFILE=1
	@$(COMMERCE)/python -m bench.channel $(if $(filter 1,$(QUICK)),--quick) $(if $(filter 1,$(PLOT)),--plot) $(if $(filter 1,$(PROFILE)),--profile)

test-channel: environments ## The WhatsApp channel: each fault of stock Rasa, kill -9 between every two steps
	@$(COMMERCE)/python -m tests.run channel

fuzz: environments ## The WhatsApp webhooks against 100,000 mutated requests: REQUESTS=n (SEED=n repeats a run)
	@$(DIALOGUE)/python -m tests.fuzz.webhook --requests $(or $(REQUESTS),100000) $(if $(SEED),--seed $(SEED))

import-menu: $(VENVS)/commerce/$(STAMP) ## Import a menu: FILE=menu.csv, PRICE=1500 (where it has none), REPLACE=1 (whole menu)
	@$(COMMERCE)/python -m deploy.import_menu --price="$${PRICE:-}" $(if $(filter 1,$(REPLACE)),--replace) -- "$${FILE:-}"

lint-menu: $(VENVS)/commerce/$(STAMP) ## Names on the menu that the bot may misread, with suggestions; short forms it understands
	@$(COMMERCE)/python -m deploy.lint_menu

reconcile: environments ## Differences between orders, payments, provider events and stock (DAYS=3)
	@$(COMMERCE)/python -m deploy.reconcile --days $(or $(DAYS),3)

staff: environments ## What the staff does with orders: DO="ready ABC234" WHO=ada
	@$(COMMERCE)/python -m deploy.staff --who "$(WHO)" $(or $(DO),--help)

owner: $(VENVS)/commerce/$(STAMP) ## Make the first owner of the console, or give one another password: NAME=ada
	@$(COMMERCE)/python -m deploy.owner -- "$${NAME:-}"

export-customer: $(VENVS)/commerce/$(STAMP) ## All that is kept of a customer, as JSON: PHONE=+2348031234567
	@$(COMMERCE)/python -m deploy.export_customer -- "$${PHONE:-}"

rotate-keys: $(VENVS)/commerce/$(STAMP) ## Bring stored phone numbers in line with the keys (docs/operators.md, "Rotating keys")
	@$(COMMERCE)/python -m deploy.rotate_keys

bench-shop: $(VENVS)/commerce/$(STAMP) ## The shop's throughput beside pgbench's; LARGE=1: its queries on a million orders, too
	@$(COMMERCE)/python -m bench.shop $(if $(filter 1,$(LARGE)),--large)

bench-console: $(VENVS)/commerce/$(STAMP) ## The order board with 10,000 orders: first paint, and how soon it shows a change
	@$(COMMERCE)/python -m bench.console

parse-orders: ## Order lines of messages, as JSON lines: make -s parse-orders MENU=menu.json < in.jsonl > out.jsonl
	@$(MAKE) -s environments >&2
	@$(DIALOGUE)/python -m dialogue.parse_lines orders --menu "$${MENU:-}"

parse-intents: ## Intents of messages, as JSON lines: make -s parse-intents MENU=menu.json < in.jsonl > out.jsonl
	@$(MAKE) -s environments >&2
	@$(COMMERCE)/python -m deploy.model < /dev/null >&2
	@$(DIALOGUE)/python -m dialogue.parse_lines intents --menu "$${MENU:-}"

bench-understanding: environments ## Orders and intents of real people, beside stock Rasa (QUICK=1: without stock)
	@$(COMMERCE)/python -m deploy.model
	@$(DIALOGUE)/python -m bench.understanding $(if $(filter 1,$(QUICK)),--quick)

bench-llm: environments ## What a language model adds where the bot is unsure, and whether others wait: URL=http://... MODEL=name (a real one)
	@$(COMMERCE)/python -m deploy.model
	@$(COMMERCE)/python -m bench.llm $(if $(URL),--base-url "$(URL)" --model "$(or $(MODEL),model)")

review: $(VENVS)/commerce/$(STAMP) ## What was misunderstood, for designers, to .state/review (DRAFT=1: with a model's drafts); ACCEPT=file takes what is marked there into data/nlu
	@$(COMMERCE)/python -m deploy.review $(if $(filter 1,$(DRAFT)),--draft) --accept "$${ACCEPT:-}"

nlu-report: environments ## What the model takes for what, as pictures and a page, beside the report before
	@$(COMMERCE)/python -m bench.nlu_report

check: environments ## Format, lint and types
	$(COMMERCE)/ruff format --check .
	$(COMMERCE)/ruff check .
	$(COMMERCE)/mypy

format: environments ## Format the code
	$(COMMERCE)/ruff format .
	$(COMMERCE)/ruff check --fix .

lock: $(BOOTSTRAP) ## Resolve the pinned requirements anew
	$(UV) pip compile -q --upgrade requirements/bootstrap.in -p 3.10 --universal --generate-hashes -o requirements/bootstrap.txt
	$(UV) pip compile -q --upgrade --group commerce -p 3.12 --generate-hashes -o requirements/commerce.txt
	$(UV) pip compile -q --upgrade --group dialogue -p 3.10 --generate-hashes -o requirements/dialogue.txt

environments: $(VENVS)/commerce/$(STAMP) $(VENVS)/dialogue/$(STAMP)

$(VENVS)/commerce/$(STAMP): requirements/commerce.txt $(BOOTSTRAP)
	@echo "building the commerce environment (Python 3.12)"
	@$(UV) venv -q --allow-existing -p 3.12 $(VENVS)/commerce
	@$(UV) pip sync --compile-bytecode -p $(COMMERCE)/python --require-hashes $<
	@touch $@

$(VENVS)/dialogue/$(STAMP): requirements/dialogue.txt $(BOOTSTRAP)
	@echo "building the dialogue environment (Python 3.10, Rasa: 2.5 GB, a minute or more)"
	@$(UV) venv -q --allow-existing -p 3.10 $(VENVS)/dialogue
	@$(UV) pip sync --compile-bytecode -p $(DIALOGUE)/python --require-hashes $<
	@touch $@

# uv, where the machine has none: pip is enough to get it, checked by its hash.
$(VENVS)/uv/bin/uv: requirements/bootstrap.txt
	@echo "getting uv"
	@python3 -m venv $(VENVS)/uv || { echo "chatcart: python3 cannot make an environment; install python3-venv" >&2; exit 1; }
	@$(VENVS)/uv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r $<
	@touch $@

clean: ## Remove environments, models and the state of the embedded servers
	rm -rf $(VENVS) .state models/*.tar.gz models/building
