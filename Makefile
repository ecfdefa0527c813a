# Everything starts here: `make help` lists what there is.
SHELL := /bin/sh
BIN := .venv/bin
.DEFAULT_GOAL := help

.PHONY: help setup demo demo-vm test test-aws test-qemu test-metal test-crash crash-matrix crash-aws crash-rack crash-terraform image test-image judge mutate bench bench-aws bench-sim check format golden docs wire wheels template clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-18s %s\n", $$1, $$2}'

setup: .venv/.ready ## make the environment in .venv (needs Python 3.11 or later, nothing else)

.venv/.ready: pyproject.toml $(wildcard providers/*/pyproject.toml) constraints.txt scripts/setup.sh
	@scripts/setup.sh

demo: setup ## one file to a healthy cluster, on simulated machines
	@scripts/demo.sh

test: setup ## all tests that need no root and no other programs
	@$(BIN)/python -m pytest -n 2 --dist worksteal -q -m "not judge and not crash and not aws and not image and not qemu and not metal"

test-crash: setup ## kill runs at every kind of point (4 minutes)
	@$(BIN)/python -m pytest -n 2 --dist worksteal -q -m crash tests/crash tests/beds/rack providers/metal/tests

test-aws: setup ## crashes, faults and a whole cluster on a test bed for AWS (root; 3 minutes)
	@scripts/aws-test.sh

crash-matrix: setup ## kill runs at every point there is; goes on where it stopped (half an hour)
	@$(BIN)/python tests/crash/matrix.py build/crash-matrix.jsonl

crash-aws: setup ## kill runs on EC2's test bed at every kind of point; goes on where it stopped (half an hour)
	@$(BIN)/python tests/crash/aws_matrix.py build/crash-aws.jsonl

crash-rack: setup ## kill runs on simulated racked servers at every kind of point; goes on where it stopped (three quarters of an hour)
	@$(BIN)/python tests/crash/rack_matrix.py build/crash-rack.jsonl

crash-terraform: setup ## the same kills for Terraform, where it is installed, and for prov
	@$(BIN)/python tests/crash/terraform.py

demo-vm: setup ## the same on virtual machines, with an upgrade and a rollback (installs tools with apt; minutes)
	@scripts/qemu-tools.sh
	@$(BIN)/python scripts/demo_vm.py

test-qemu: setup ## real virtual machines: their life, prov killed at every step, full disks (root; minutes)
	@scripts/qemu-tools.sh
	@$(BIN)/python -m pytest -q -m qemu tests/qemu

test-metal: setup ## real machines behind emulated BMCs, from off to a cluster and back (root; installs tools with apt; minutes)
	@scripts/metal-test.sh

image: setup ## build the stand-in image into build/stand-in (no root; scripts/image-tools.sh installs the tools)
	@$(BIN)/python images/stand-in/build.py $(IMAGE)

test-image: setup ## build the stand-in image and boot it in virtual machines (installs tools with apt)
	@scripts/image-tools.sh
	@$(BIN)/python -m pytest -q -m image images/stand-in/tests

judge: setup ## what prov makes, before Talos's own configuration library (needs Go)
	@$(BIN)/python -m pytest -q -m judge tests/judge

mutate: setup ## break the source in many small ways; a test must notice each (2 to 3 minutes)
	@$(BIN)/python tests/mutations/mutate.py

bench: setup ## how fast the core is, beside terraform where that is installed; BENCH="--full" for more
	@$(BIN)/python scripts/bench.py $(BENCH)

bench-sim: setup ## what 50 to 300 simulated machines cost, in seconds of prov and of the simulator
	@$(BIN)/python scripts/bench_sim.py

bench-aws: setup ## instances on EC2's test bed, beside a bare loop of boto3
	@$(BIN)/python scripts/bench_aws.py

check: setup ## format, lint, types, import contracts, generated code
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@scripts/wire.sh --check

format: setup ## format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

golden: setup ## rewrite expected output; then read the diff
	@PROV_GOLDEN=write $(BIN)/python -m pytest -q tests providers -k "golden or case" || true
	@git diff --stat

docs: setup ## write the pages that are made from the code
	@$(BIN)/python scripts/docs.py
	@git diff --stat -- docs

wire: setup ## generate the Talos message code from its interface description
	@scripts/wire.sh

wheels: setup ## build the wheels, install them in an empty environment, plan and apply there
	@scripts/wheels.sh

template: setup ## do with the provider template what a third party would
	@scripts/template-check.sh

clean: ## remove what was built
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
