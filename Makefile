# make build   the filters, as they are deployed: target/modules/*.wasm
# make lint    formatting and clippy, native and for the wasm target

CARGO ?= cargo
WASM_TARGET := wasm32-wasip1
WASM_DIR := target/$(WASM_TARGET)/release
FILTERS := waf

.PHONY: build
build: wasm-target
	$(CARGO) build --release --target $(WASM_TARGET) $(FILTERS:%=-p backstop-%-filter)
	$(CARGO) build -p backstop-host --bin backstop
	for filter in $(FILTERS); do \
		target/debug/backstop pack $(WASM_DIR)/backstop_$${filter}_filter.wasm -o target/modules/$$filter.wasm || exit 1; \
	done

.PHONY: wasm-target
wasm-target:
	@rustup target list --installed | grep -qx $(WASM_TARGET) || rustup target add $(WASM_TARGET)

.PHONY: lint
lint: wasm-target
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --exclude backstop-waf-filter --exclude 'guest-*' -- -D warnings
	$(CARGO) clippy --target $(WASM_TARGET) $(FILTERS:%=-p backstop-%-filter) -- -D warnings
