# make run    installs what the build needs, builds, and shows what covey does
# make test   the same, and runs all tests
#
# Both build with one profile into one directory, so that RocksDB is compiled once.

CARGO := cargo

.PHONY: run test setup lint

run: setup
	$(CARGO) build --workspace --locked
	$(CARGO) run --locked --quiet --bin covey -- demo --once

# The examples in the documentation first, so that the last line is the summary of the tests.
test: setup
	$(CARGO) test --workspace --locked --quiet --doc
	$(CARGO) test --workspace --locked --lib --bins --tests

setup:
	@sh scripts/setup

lint: setup
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked
