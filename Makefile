# talkgraph: `make demo` shows it, `make test` checks it.
SHELL := /bin/bash
PREFIX ?= /usr/local
TALKGRAPH := target/release/talkgraph
TRAINING = $${TALKGRAPH_HOME:-.talkgraph}/training/venv/bin/python
.PHONY: help setup build install package package-try fuzz demo demo-pictures test test-tools published-test lint docs docs-check pack bench eval

help:
	@echo 'make setup   system packages, ONNX Runtime, face networks (once; needs the network) [CUDA=1: for GPUs]'
	@echo 'make demo    a rendered portrait and synthetic speech become demo.mp4'
	@echo "make demo-pictures  the README's pictures from the demo"
	@echo 'make install  [PREFIX=/usr/local] [DESTDIR=…]  the program with all its parts; runs from anywhere, also after a move'
	@echo 'make test    all tests of the program; make test-tools those of the Python tools (fetches PyTorch, 6 GB)'
	@echo 'make published-test  the published networks with random weights at 1024 px: exported, parity, the four modes, a whole one beside recorded frames (five minutes)'
	@echo 'make lint    rustfmt and clippy, warnings denied'
	@echo 'make docs    docs/nodes.md, docs/graph.schema.json and a drawing from the program; make docs-check compares them'
	@echo 'make pack    train the bundled model pack anew (about seven hours on two cores, in .talkgraph/training)'
	@echo 'make package a Debian package and a Python wheel for systems like this one, in target/package; package-try installs both on a bare system'
	@echo 'make fuzz    every reader of files fed with changed ones [SECONDS=30] each (needs a nightly Rust and cargo-fuzz)'
	@echo 'make bench   time cached runs, checks and rendering; where packs are trained also beside torch and plain ONNX'
	@echo 'make eval    figures of a pack in face units [PORTRAITS=folder] [SPEECH=folder] [ONLY=part,…]'

setup:
	tools/setup/setup.sh $(if $(CUDA),--cuda)

build: setup
	cargo build --release --locked

# Builds nothing: `make build` before, as the user who owns this folder.
install:
	PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' tools/install.sh

demo: build
	$(TALKGRAPH) run graphs/from_image.yaml -i portrait=graphs/media/portrait.png -i speech=graphs/media/speech.wav -o video=demo.mp4

demo-pictures: demo
	tools/demo_pictures.sh

test: setup
	cargo test --workspace --locked

# The Python tools: training, packs, published networks. Makes their environment once (PyTorch, 6 GB).
test-tools:
	"$$(tools/training/environment.sh)" -W ignore -m unittest discover -s tools -t . -p 'test_*.py'

# The published networks at full shapes, with random weights: exported, held to recorded numbers, and the four modes on them.
published-test: build
	"$$(tools/training/environment.sh)" -W ignore -m tools.published.rehearsal .talkgraph/published --binary $(TALKGRAPH)

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

docs:
	cargo run --quiet --locked -- nodes --markdown > target/nodes.md
	cargo run --quiet --locked -- schema > target/graph.schema.json
	cargo run --quiet --locked -- dot graphs/from_image.yaml --format svg > target/from_image.svg
	mv target/nodes.md docs/nodes.md
	mv target/graph.schema.json docs/graph.schema.json
	mv target/from_image.svg docs/from_image.svg

docs-check:
	cargo run --quiet --locked -- nodes --markdown | diff -u docs/nodes.md - || { echo 'docs/nodes.md is out of date: run make docs' >&2; exit 1; }
	cargo run --quiet --locked -- schema | diff -u docs/graph.schema.json - || { echo 'docs/graph.schema.json is out of date: run make docs' >&2; exit 1; }
	cargo run --quiet --locked -- dot graphs/from_image.yaml --format svg | diff -u docs/from_image.svg - || { echo 'docs/from_image.svg is out of date: run make docs' >&2; exit 1; }
	cargo run --quiet --locked -- check graphs/*.yaml graphs/*/*.yaml

pack:
	tools/training/pack.sh

bench: build
	tools/bench.sh $(TALKGRAPH)
	if [ -x $(TRAINING) ]; then $(TRAINING) -m tools.pack.bench --json target/render.json; \
	else cargo bench --quiet --locked -p talkgraph-nodes --bench render; fi

SECONDS ?= 30
FUZZ := graph pack safetensors wav onnx record media arkit
package: build
	tools/package/package.sh

package-try: package
	tools/package/try.sh

fuzz:
	for target in $(FUZZ); do \
	  mkdir -p tests/fuzz/corpus/$$target && \
	  cargo +nightly fuzz run --fuzz-dir tests/fuzz $$target tests/fuzz/corpus/$$target tests/fuzz/seeds/$$target -- \
	    -max_total_time=$(SECONDS) -max_len=65536 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 || exit 1; \
	done

eval: build
	tools/evaluation/setup.sh
	OMP_NUM_THREADS=1 $(TRAINING) -m tools.evaluation --binary $(TALKGRAPH) \
	  $(if $(PORTRAITS),--portraits '$(PORTRAITS)') $(if $(SPEECH),--speech '$(SPEECH)') $(if $(ONLY),--only '$(ONLY)') \
	  $(if $(DRIVING),--driving '$(DRIVING)')
