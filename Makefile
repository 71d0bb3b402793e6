# netplane: `make demo` shows it, `make test` tests it; both install what is missing first. `make help` lists the rest.

PYTHON := .venv/bin/python
BPF := src/netplane/datapath/bpf
OBJECT := src/netplane/datapath/netplane.bpf.o
SOURCES := $(filter-out $(BPF)/tables.h,$(wildcard $(BPF)/*.c $(BPF)/*.h)) \
	$(wildcard src/netplane/tables/*.py) tools/compile_datapath.py
NATIVE := unit/base unit/compiler unit/interest unit/controller unit/agent unit/stream golden scale \
	property/test_incremental.py property/test_interest.py property/test_entering.py property/test_intent.py
ARGS ?=

.PHONY: help setup setup-test build native demo test test-full test-native check format docs test-kernel bench bench-ovn lock clean
.NOTPARALLEL:

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

setup: ## Install what running needs: system packages, .venv, requirements, netplane
	@scripts/setup

setup-test: ## The same, and what the tests need
	@scripts/setup test

build: $(OBJECT) ## Compile the datapath

$(OBJECT): $(SOURCES)
	$(PYTHON) -m tools.compile_datapath

native: setup ## Compile the hot modules to machine code, into .cache/native (run with PYTHONPATH=.cache/native)
	$(PYTHON) -m tools.compile_native

demo: setup build ## Run the demonstration (ARGS="--hosts 4 --keep -o json")
	$(PYTHON) -m netplane.cli demo $(ARGS)

check: build ## Format, lint, types, layers
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports --no-cache

test: setup-test build check ## Set-up, checks and every test but those in guests (ARGS="-k NAME" for some of the tests)
	$(PYTHON) -m pytest -m "not guest" $(ARGS)

test-full: setup-test build check ## The same, and the tests in guests
	$(PYTHON) -m pytest $(ARGS)

test-native: setup-test build native ## The tests of what `native` compiles, on what it has compiled
	PYTHONPATH=.cache/native $(PYTHON) -m pytest $(addprefix tests/,$(NATIVE)) $(ARGS)

test-kernel: setup-test build ## The datapath's contract tests on Debian 12's kernel 6.1, in a guest
	$(PYTHON) -m pytest tests/guest/test_datapath_on_debian_kernel.py --timeout 1200 $(ARGS)

bench: setup build ## Measure, and compare with the goals and with Linux bridge + VXLAN
	$(PYTHON) -m bench $(ARGS)

bench-ovn: setup build ## Measure beside OVN, which is taken from Debian's packages (ARGS="--projects 1000")
	$(PYTHON) -m bench.ovn $(ARGS)

format: ## Format and sort imports
	$(PYTHON) -m ruff check --fix-only .
	$(PYTHON) -m ruff format .

docs: build ## Write docs/reference
	$(PYTHON) -m tools.reference

lock: ## Pin the requirements anew (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
		requirements/runtime.in -o requirements/runtime.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
		requirements/dev.in -o requirements/dev.txt

clean: ## Remove what was built and measured; .venv stays
	rm -rf .cache build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis bench/results
	rm -f $(OBJECT) $(BPF)/tables.h
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
