# make demo     look at a bundled recording, convert it, and train a network, into ./demo
# make test     all tests; Python libraries judge the files where Python is there
# make lint     format, lints and documentation, as the checks of every change do
# make bench    times of the readers on this machine
# make fixtures-check   make the bundled recordings again and compare

TARGET := $(or $(CARGO_TARGET_DIR),target)
LIAF := $(TARGET)/release/liaf
PYTHON ?= python3
# --all: the large judges too.
JUDGES ?=
FEATURES := --features liaf/nir
RECORDING := fixtures/good/aedat4/dv_all_lz4.aedat4
SMALL := --window 100ms --crop 93,50,160,160 --size 64x32 --polarity merged --dtype u8

.PHONY: demo test lint bench fixtures-check build tools judges

demo: build
	@mkdir -p demo
	@echo; echo '$$ liaf info $(RECORDING)'
	@$(LIAF) info $(RECORDING)
	@echo; echo '$$ liaf convert $(RECORDING) -o demo/frames.h5'
	@$(LIAF) convert $(RECORDING) -o demo/frames.h5 --force
	@echo; echo '$$ liaf convert $(RECORDING) -o demo/small.npy $(SMALL)'
	@$(LIAF) convert $(RECORDING) -o demo/small.npy --force $(SMALL)
	@echo; echo '$$ ls -l demo'; ls -l demo
	@echo; echo 'The header of demo/small.npy, and its first frame, # where there were events:'
	@head -c 128 demo/small.npy | tail -c +11 | tr -s ' '
	@tail -c +129 demo/small.npy | head -c 2048 | od -An -v -t u1 -w64 \
		| sed 's/ *[1-9][0-9]*/#/g; s/ *0/./g'
	@echo; echo '$$ liaf train experiments/demo.toml --out demo/run'
	@rm -rf demo/run
	@$(LIAF) train experiments/demo.toml --out demo/run
	@echo; echo 'demo/run/report.html is a page to look at.'

build: tools
	cargo build --release

test: tools judges
	LIAF_PYTHON="$${LIAF_PYTHON:-$(CURDIR)/.venv/bin/python}" \
		cargo test --workspace $(FEATURES) --tests
	cargo test --workspace $(FEATURES) --doc

lint: tools
	cargo fmt --all --check
	cargo clippy --workspace --all-targets $(FEATURES) -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps $(FEATURES)

bench: tools
	cargo bench -p liaf-bench

# Rust, and a C compiler for ZSTD; the compiler is asked for and installed only where it is missing.
tools:
	@command -v cargo >/dev/null || { \
		echo 'cargo is missing: install Rust from https://rustup.rs'; exit 1; }
	@if command -v cc >/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi; \
	echo 'Installing what is missing: a C compiler'; \
	if command -v apt-get >/dev/null && \
		{ [ -z "$$sudo" ] || command -v sudo >/dev/null; } && \
		$$sudo apt-get update -q && \
		DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -qy build-essential; \
	then exit 0; fi; \
	echo 'Could not install a C compiler. Install one and try again.'; \
	exit 1

# A Python with the libraries that judge tensor files and event files. Without one those tests skip
# and say so.
judges:
	@if [ -n "$$LIAF_PYTHON" ]; then exit 0; fi; \
	made=.venv/judges; \
	if [ $$made -nt fixtures/oracles/requirements.txt ] && \
		[ $$made -nt liaf-data/tests/judges/requirements.txt ]; then exit 0; fi; \
	if PYTHON=$(PYTHON) fixtures/oracles/venv.sh .venv $(JUDGES); then touch $$made; \
	else echo 'No Python libraries to judge tensor files (python3-venv and PyPI are needed):'; \
		echo 'the tests that need them are skipped.'; fi

fixtures-check:
	@if [ ! .venv-fixtures/made -nt fixtures/requirements.txt ] || \
		[ ! .venv-fixtures/made -nt fixtures/oracles/requirements.txt ]; then \
		$(PYTHON) -m venv .venv-fixtures && .venv-fixtures/bin/python -m pip install -q \
		--disable-pip-version-check --only-binary :all: -r fixtures/requirements.txt && \
		touch .venv-fixtures/made; fi
	.venv-fixtures/bin/python fixtures/make.py --check
