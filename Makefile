# `make run` and `make test` are the two commands; `make help` lists the rest. Each installs what it needs and is missing
# (scripts/packages, cmake/duckdb.cmake), builds, and does what it says. Done again, it costs seconds and no network.

PRESET ?= release
BUILD := build/$(PRESET)
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
ARGS ?=
FUZZ_SECONDS ?= 60
# What the sanitizers look at beside the unit tests: sessions of the SQL door, and commits that they share.
SANITIZED_TESTS ?= tests/door tests/ingest

.DEFAULT_GOAL := help
.PHONY: help run test test-unit test-asan test-tsan build check style lint bench fuzz fmt install image test-image clean all-targets configure reconfigure packages

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14
	@echo
	@echo 'ARGS="…" passes options on (make run ARGS="--sql-port 6433"), PRESET=dev|asan|tsan builds another way,'
	@echo 'PREFIX= and DESTDIR= say where to install, DUCKDB_ROOT= uses a DuckDB that is there, JOBS= how many compile at once.'

run: build ## build what is missing and run the box, in the foreground; Ctrl-C stops it
	@scripts/packages run
	@exec $(BUILD)/boathouse serve $(ARGS)

test: test-unit ## build and run every test
	@scripts/packages test
	@BOATHOUSE_BUILD=$(BUILD) scripts/test $(ARGS)

test-unit: all-targets ## build and run the tests that stand beside the sources
	@scripts/packages run
	@ctest --preset $(PRESET)

test-asan: ## unit tests, and those of the SQL door's sessions, under AddressSanitizer and UBSan: an hour
	@$(MAKE) test PRESET=asan ARGS="$(SANITIZED_TESTS)"

test-tsan: ## the same under ThreadSanitizer
	@$(MAKE) test PRESET=tsan ARGS="$(SANITIZED_TESTS)"

build: configure ## build build/release/boathouse
	@cmake --build $(BUILD) --parallel $(JOBS) --target boathouse boathouse-engine

check: style lint ## formatting, layer rules, and lint; warnings are errors in every build

style: ## formatting, layer rules, shellcheck, ruff: seconds
	@scripts/packages check
	@scripts/check

lint: configure ## clang-tidy over what has changed since it was last clean; minutes when all has
	@scripts/packages check
	@nice scripts/lint $(BUILD) $(JOBS)

bench: build ## the benchmarks; results go to bench/RESULTS.md
	@scripts/packages run test
	@bench/run $(ARGS)

fuzz: packages ## fuzz what reads a client's bytes, FUZZ_SECONDS= each (60); needs clang
	@scripts/packages fuzz
	@cmake --preset fuzz
	@cmake --build --preset fuzz --parallel $(JOBS)
	@fuzz/run $(FUZZ_SECONDS)

fmt: ## format the C++ and Python sources in place
	@scripts/packages check
	@scripts/check --fix

install: build ## install into PREFIX (/usr/local) below DESTDIR
	@DESTDIR=$(DESTDIR) cmake --install $(BUILD) --prefix $(PREFIX)

image: ## build the container image
	@scripts/packages image
	@scripts/image $(ARGS)

test-image: image ## build the container image and test it
	@scripts/packages run test
	@scripts/test tests/image $(ARGS)

clean: ## remove what was built; downloads stay in the cache
	rm -rf build

all-targets: configure
	@cmake --build $(BUILD) --parallel $(JOBS)

configure: packages $(if $(DUCKDB_ROOT)$(NANOARROW_ROOT),reconfigure,$(BUILD)/build.ninja)

packages:
	@scripts/packages build $(if $(and $(DUCKDB_ROOT),$(NANOARROW_ROOT)),,fetch)

$(BUILD)/build.ninja: CMakePresets.json
	@cmake --preset $(PRESET)

reconfigure:
	@cmake --preset $(PRESET) -DDUCKDB_ROOT=$(DUCKDB_ROOT) -DNANOARROW_ROOT=$(NANOARROW_ROOT)
