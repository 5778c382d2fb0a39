# Every target makes what it needs first; `make help` lists them.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO_HOME ?= .demo

.DEFAULT_GOAL := help
.PHONY: help install setup demo test test-kills test-extras servers test-servers check lint types wheel lock fix clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# $(call locked,FOLDER,EXTRAS): an environment of the releases in constraints.txt, each checked against its hash.
define locked
	$(PYTHON) -m venv $(1)
	$(1)/bin/python -m pip install --quiet --require-hashes -r requirements-build.txt
	$(1)/bin/python .ci/dependencies.py $(2) > $(1)/dependencies.txt
	$(1)/bin/python -m pip install --quiet --require-hashes -c constraints.txt -r $(1)/dependencies.txt
	$(1)/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
endef
LOCK := pyproject.toml requirements-build.txt constraints.txt

$(BIN)/penstock: $(LOCK)
	$(call locked,$(VENV),)
	@touch $@

install: $(LOCK) ## install Penstock into .venv, with the extras that EXTRAS="flows postgresql" names
	$(call locked,$(VENV),$(EXTRAS))
	@touch $(BIN)/penstock

$(VENV)/.dev: $(LOCK)
	$(call locked,$(VENV),dev flows elasticsearch postgresql langchain llama-index haystack)
	@touch $(BIN)/penstock $@

setup: $(VENV)/.dev ## install Penstock and its development tools into .venv

demo: $(BIN)/penstock ## install, ingest the sample documents, search them, and ask for a cited answer
	$(BIN)/penstock ingest examples/handbook --home $(DEMO_HOME) --collection demo
	$(BIN)/penstock search "年假怎么申请" --home $(DEMO_HOME) --collection demo --k 3
	$(BIN)/penstock ask "How many days of leave carry over?" --home $(DEMO_HOME) --collection demo

# HYPOTHESIS_PROFILE=gate looks at all examples of every property, as .ci/run does; without it a fifth of them.
test: $(VENV)/.dev ## run the tests, less those that need servers or kill by the hundred
	$(BIN)/python -m pytest -q -n auto -m "not elasticsearch and not postgresql and not prefect and not kills"

test-kills: $(VENV)/.dev ## kill processes at 250 moments and look at what is left, and prove the look by broken programs
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "kills and not postgresql"

servers: $(VENV)/.dev ## start Elasticsearch and PostgreSQL on loopback until Ctrl-C
	$(BIN)/python -m tests.servers

# Two at a time, each with servers of its own, which all tests of a file share.
test-servers: $(VENV)/.dev ## run the tests against real servers: Elasticsearch 8 and 9, PostgreSQL, Prefect
	$(BIN)/python -m pytest -q -rs -n 2 --dist loadfile -m "elasticsearch or postgresql or prefect"

$(VENV)-extras/.ready: $(LOCK)
	$(call locked,$(VENV)-extras,dev sentence-transformers unstructured)
	@touch $@

test-extras: $(VENV)-extras/.ready ## run the tests that need torch or unstructured, in an environment of their own
	$(VENV)-extras/bin/python -m pytest -q tests/engines/embedders/test_engines_agree.py tests/loaders/test_unstructured.py \
		tests/telemetry/test_nothing_reaches_out.py -k "not plug_ins and not schedule"

lint: $(VENV)/.dev ## ruff, and the floors of the architecture
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

types: $(VENV)/.dev ## mypy, strict
	$(BIN)/mypy

check: lint types test ## everything that must pass before a change is taken

wheel: $(VENV)/.dev ## sdist, wheel from the sdist, and a clean environment that runs it
	$(BIN)/python .ci/wheel_check.py

# Releases stay as they are where they still fit; `make lock UPGRADE=--upgrade` takes the newest.
lock: ## write constraints.txt and requirements-build.txt anew from pyproject.toml, with hashes of every release
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet --require-hashes -r requirements-build.txt
	$(VENV)-lock/bin/python -m pip install --quiet --require-hashes -c constraints.txt uv
	$(COMPILE) --all-extras --group build --group lock --output-file constraints.txt pyproject.toml
	$(COMPILE) --group build --constraints constraints.txt --output-file requirements-build.txt
COMPILE = $(VENV)-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" $(UPGRADE)

fix: $(VENV)/.dev ## let ruff mend what it can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean: ## remove what the targets made
	rm -rf $(VENV) $(VENV)-extras $(VENV)-lock $(DEMO_HOME) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage
