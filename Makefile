SHELL := bash
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c
.PHONY: help setup lock demo-data demo specs compile render images images-test cluster-test clients-test fuzz-serve airflow-test check test test-servers crash-test race-test chaos-test bench-data bench-quality bench-intervals bench-gate bench-explain bench-rollback bench-monitor bench-planning bench-scale bench-serve bench-scoring bench notebook clean
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
unexport PYTHONDONTWRITEBYTECODE  # what is compiled once is not compiled by every process again

VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
UV_VERSION := 0.13.9

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

setup: $(VENV)/ready ## make the virtual environment from the lock file
$(VENV)/ready: requirements/dev.lock pyproject.toml
	python3 -m venv $(VENV)
	$(BIN)/pip install -q "uv==$(UV_VERSION)"
	$(UV) pip sync -q --compile-bytecode --python $(BIN)/python --require-hashes requirements/dev.lock
	$(UV) pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q src components pipelines tools
	touch $@

LOCK := $(UV) pip compile -q --python-version 3.11 --no-emit-index-url --generate-hashes \
  --no-header --no-annotate
IMAGE_GROUPS := plan data train monitor sync serve
AIRFLOW := apache-airflow==3.3.2\napache-airflow-providers-postgres==7.1.1\nsetuptools==84.2.1\n
lock: ## pin what pyproject.toml asks for, with hashes
	$(LOCK) pyproject.toml --extra pipelines --extra postgres --extra serve -o requirements/run.lock
	printf 'setuptools==84.2.1\nuv==$(UV_VERSION)\n' | $(LOCK) - pyproject.toml \
	  --extra pipelines --extra postgres --extra serve --group demo --group dev -o requirements/dev.lock
	printf 'setuptools==84.2.1\n' | $(LOCK) - -o requirements/image-build.lock
	printf '$(AIRFLOW)' | $(LOCK) - -o requirements/airflow.lock
	for group in $(IMAGE_GROUPS); do
	  $(LOCK) --group image-$$group -c requirements/run.lock -o requirements/image-$$group.lock
	done

demo-data: setup ## make the demo's landing zones from real flights
	$(BIN)/python tools/make_demo_data.py demo/landing

demo: demo-data ## run the fleet for two dates over 16 carriers; ends with the report's path
	$(BIN)/python -m tools.demo

notebook: demo-data ## run docs/workbench.ipynb and keep what it prints
	$(BIN)/python -m tools.run_notebook docs/workbench.ipynb

specs: setup ## validate every file in tenant_specs/
	$(BIN)/tenantry validate

compile: setup ## write build/fleet.yaml for the Kubeflow UI, and the same as resources
	$(BIN)/python -m pipelines compile --out build

render: setup ## write what follows from specs, pipeline and manifests; CI fails where it is stale
	$(BIN)/python -m tools.render
	$(BIN)/python -m tests.manifests.goldens

images: setup ## build every image: IMAGE_REGISTRY=… IMAGE_TAG=…; TARGETS="plan sync"
	$(BIN)/python -m tools.images $(TARGETS)

check: setup ## lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

WORKERS = $(shell expr $$(nproc) + 1)# one waits for a server, most of the time
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder
COVERING := tests/unit tests/store tests/sources
test: setup test-servers ## run every test; starts the servers it needs
	$(BIN)/python -m coverage erase
	$(PYTEST) -p tests.tracing $(COVERING)
	$(BIN)/python -m coverage combine -q
	$(BIN)/python -m coverage report
	$(PYTEST) $(COVERING:%=--ignore=%)

test-servers: ## install PostgreSQL and Chromium where missing, build MinIO once
	python3 -m tests.servers.install

cluster-test: setup ## apply manifests/ to a real kube-apiserver; builds it once, 8 CPU-minutes
	$(BIN)/python -m tests.servers.kubernetes.install
	$(BIN)/python -m pytest -q tests/cluster

clients-test: setup ## let KServe's and Triton's clients talk to tenantry serve; builds them once
	$(BIN)/python -m tests.clients.install
	$(BIN)/python -m pytest -q tests/clients

fuzz-serve: setup ## 100,000 hostile requests, and schemathesis on what tenantry serve says of itself
	$(BIN)/python -m tests.clients.install
	$(BIN)/python -m tests.clients.hostile

images-test: setup ## build every image, run the pipeline's stages inside; needs root and Debian
	$(BIN)/python -m tests.images.install
	TENANTRY_IMAGES=1 $(BIN)/python -m pytest -q -s --timeout=3600 tests/images

airflow-test: setup test-servers ## run a real Airflow over PostgreSQL and its example DAGs: 5 minutes
	$(BIN)/python -m tests.servers.airflow.install
	TENANTRY_AIRFLOW=1 $(BIN)/python -m pytest -q -s tests/airflow

crash-test: setup test-servers ## kill 200 runs at random points; print what was hit and what came of it
	$(BIN)/python -m tests.crash kill --times 200

race-test: setup test-servers ## let 16 runs of one slot race on a real MinIO, 30 times; print the promotions
	$(BIN)/python -m tests.crash race --times 30

chaos-test: setup test-servers ## restart MinIO under 20 runs, let requests of 23 others fail
	$(BIN)/python -m tests.crash restart --times 20
	$(BIN)/python -m tests.crash storm --times 20
	$(BIN)/python -m tests.crash storm --times 3 --share 0.4

bench: test-servers demo-data bench-data ## measure all in a short form, with the machine's figures: 15 minutes, or PARTS="scoring"
	$(BIN)/python -m benchmarks $(PARTS)

bench-data: setup ## fetch three million flights for bench-quality, by npm: a minute
	$(BIN)/python -m benchmarks.data

bench-quality: demo-data bench-data ## measure what the models are worth on real flights: 15 minutes, or PARTS="test months"
	$(BIN)/python -m benchmarks.quality $(PARTS)

bench-intervals: demo-data ## what the intervals of minutes late hold, month by month
	$(BIN)/python -m benchmarks.intervals

bench-gate: setup ## simulate how often the gate is right
	$(BIN)/python -m benchmarks.gate

bench-explain: demo-data ## take a million rows apart by every recipe's model: exactness, and cost beside scoring
	$(BIN)/python -m benchmarks.explaining

bench-rollback: setup test-servers ## roll 1,000 tenants back on a real MinIO
	$(BIN)/python -m benchmarks.rollback

bench-monitor: demo-data ## measure false alarms, power, decay and speed of monitoring on real flights
	$(BIN)/python -m benchmarks.monitoring

bench-planning: setup test-servers ## plan 10,000 tenants from an index on a real MinIO
	$(BIN)/python -m benchmarks.planning

bench-serve: setup test-servers ## measure tenantry serve beside two others: 10 minutes, needs wrk; or PARTS="speed flood"
	$(BIN)/python -m benchmarks.serving.peers
	$(BIN)/python -m benchmarks.serving $(PARTS)

bench-scale: test-servers bench-data ## measure a fleet of 3,250 beside a bare script: ARGS="--tenants 100 --store minio", "--carriers" or "--equal"
	$(BIN)/python -m benchmarks.scale $(ARGS)

bench-scoring: bench-data ## measure rows a second from source to receipt: ARGS="--rows 10000000 --recipes logistic --no-bare"
	$(BIN)/python -m benchmarks.scoring $(ARGS)

clean: ## remove what the demo and the build made
	rm -rf build demo
