# Every target works from a fresh clone: dependencies (with the Node.js that HELIOS runs on) are installed when they are missing or stale.
# Pass arguments on with ARGS: make run ARGS="--port 9000", make bench ARGS=ingest

ARGS ?=
EVENTS ?= dist/events.ndjson
installed := node_modules/.installed

.PHONY: help demo run test test-unit test-integration test-clients test-load coverage lint fmt docs dashboards compose-check generate-events bench clean

help: ## lists the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' Makefile

$(installed): package-lock.json
	npm ci --loglevel=error --no-audit --no-fund
	@touch $(installed)

demo: $(installed) ## starts HELIOS, feeds it a bad day, shows the incident and its report
	@bin/helios demo $(ARGS)

run: $(installed) ## runs the server: helios serve
	@bin/helios serve $(ARGS)

test: test-unit test-integration ## all tests

test-unit: $(installed) ## unit tests, a few seconds
	@npm run --silent test:unit

test-integration: $(installed) ## tests with processes and crashes; finds Kafka and PostgreSQL or starts them
	@npm run --silent test:integration

test-clients: $(installed) ## real clients (Collector, telemetrygen, Prometheus, grpcurl, Python SDK), installed into .cache when missing
	@npm run --silent test:clients

test-load: $(installed) ## load on servers of their own: sustained rate, time to answer, memory
	@npm run --silent bench -- http doors soak $(ARGS)

coverage: $(installed) ## both test tiers; fails under 90 % of lines
	@npm run --silent coverage

lint: $(installed) ## lint rules, format, types
	@npm run --silent lint

fmt: $(installed) ## formats the code
	@npm run --silent fmt

docs: $(installed) ## writes the reference pages that are generated from the code
	@npm run --silent docs

dashboards: $(installed) ## writes Grafana's dashboards, which are generated from code
	@npm run --silent dashboards

compose-check: $(installed) ## Compose file, Dockerfile, image, proxy, alerts and dashboards, by the tools that judge them
	@HELIOS_TEST_REQUIRE=infrastructure npm run --silent test:infrastructure

generate-events: $(installed) ## a file of synthetic events with its labels; EVENTS=FILE names it
	@mkdir -p "$$(dirname "$(EVENTS)")"
	@bin/helios generate --out "$(EVENTS)" $(ARGS)

bench: $(installed) ## the figures of BENCHMARKS.md
	@npm run --silent bench -- $(ARGS)

clean: ## removes what the targets above made, except node_modules
	rm -rf coverage dist .cache
