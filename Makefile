# Everything a newcomer needs: `make demo` to see it work, `make test` to check it.

RECORDING := fixtures/good/aedat4/dv_all_lz4.aedat4
LIAF      := target/release/liaf
PYTHON3   ?= python3
VENV      := .venv
FIXTURES_VENV := target/fixtures-venv

.PHONY: demo test lint bench fixtures-check deps judges build

# A recording to tensors, and what came out.
demo: build
	@mkdir -p demo
	$(LIAF) info $(RECORDING)
	@echo
	$(LIAF) convert $(RECORDING) -o demo/frames.h5 --window 10ms --force
	$(LIAF) convert $(RECORDING) -o demo/frames.npz --bins 20 --size 64x48 --dtype u8 --force --quiet
	$(LIAF) convert $(RECORDING) -o demo/frames.npy --window 50ms --force --quiet
	@echo
	@ls -l demo
	@echo
	@echo "demo/frames.npy begins with:" && head -c 118 demo/frames.npy | tail -c +11 | tr -s ' ' && echo

build: deps
	cargo build --release --workspace

# Every test. Judges that are not there are skipped, and say so.
test: deps judges
	LIAF_PYTHON="$${LIAF_PYTHON:-$(CURDIR)/$(VENV)/bin/python}" cargo test --workspace

lint:
	cargo fmt --check
	cargo clippy --workspace --all-targets -- -D warnings

bench: deps
	cargo bench -p liaf-bench

# The HDF5 library and pkg-config, if they are missing.
deps:
	@pkg-config --exists hdf5 2>/dev/null || pkg-config --exists hdf5-serial 2>/dev/null || { \
	  echo "installing libhdf5-dev and pkg-config"; \
	  command -v apt-get >/dev/null || { \
	    echo "no apt-get here: install the HDF5 library (1.10.3 or later, with headers) and pkg-config" >&2; exit 1; }; \
	  sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  $$sudo apt-get update -qq && $$sudo apt-get install -y -qq libhdf5-dev pkg-config build-essential; }

# h5py, numpy and safetensors, which read what we write.
judges:
	@[ -n "$$LIAF_PYTHON" ] || [ -x $(VENV)/bin/python ] || $(PYTHON3) -m venv $(VENV) || { \
	  rm -rf $(VENV); echo "no Python with venv: the judges are skipped"; }
	@[ -n "$$LIAF_PYTHON" ] || [ ! -x $(VENV)/bin/python ] || \
	  $(VENV)/bin/python -m pip install -q --disable-pip-version-check \
	    -r liaf-data/tests/judges/requirements.txt || \
	  echo "the judges could not be installed and are skipped"

# Whether the bundled recordings are what their recipe makes.
fixtures-check:
	@[ -x $(FIXTURES_VENV)/bin/python ] || $(PYTHON3) -m venv $(FIXTURES_VENV)
	$(FIXTURES_VENV)/bin/python -m pip install -q --disable-pip-version-check --only-binary :all: \
	  -r fixtures/requirements.txt
	$(FIXTURES_VENV)/bin/python fixtures/make.py --check
