# Two commands do everything on a fresh machine: `make demo` and `make test`.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# What users run is built with optimization; tests keep the debug build's checks.
BIN = $(shell swift build -c release --show-bin-path)
# The Swift libraries are linked into the release where the toolchain has them as archives: commands start in half the time.
STATIC_LIBRARIES = $(wildcard $(shell swiftc -print-target-info 2>/dev/null | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1_static/p'))
DEBUG_BIN = $(shell swift build --show-bin-path)

.PHONY: help setup build demo test crash test-room test-large check format bench bench-columnar bench-storage bench-train fuzz clean

help: ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## Install missing system packages with apt
	@scripts/setup.sh

build: setup ## Build the almanac command, with the Swift libraries linked into it
	@swift build -c release --product almanac $(if $(STATIC_LIBRARIES),--static-swift-stdlib)

demo: build ## Commit, check out, train and serve real files end to end, and check the result
	@scripts/demo.sh "$(BIN)/almanac"

test: setup ## Run every test: the rooms', and the command's as a user drives it
	@swift build --build-tests
	@swift test --skip-build
	@scripts/test-cli.sh "$(DEBUG_BIN)/almanac"
	@scripts/test-remotes.sh "$(DEBUG_BIN)/almanac"
	@scripts/test-crash.sh "$(DEBUG_BIN)/almanac"
	@scripts/test-readers.sh "$(DEBUG_BIN)/almanac"
	@scripts/test-windows.sh "$(DEBUG_BIN)/almanac"
	@scripts/test-joins.sh "$(DEBUG_BIN)/almanac"
	@scripts/test-formats.sh "$(DEBUG_BIN)/almanac"
	@scripts/test-expressions.sh "$(DEBUG_BIN)/almanac"

test-large: build ## Convert files of 2 GB, 5,000 columns and 2^31 bytes of strings, and measure the memory (15 minutes)
	@scripts/test-formats.sh "$(BIN)/almanac" --large

crash: build ## Kill -9 the command ROUNDS times (500 by default) while it commits, and let 8 writers commit 100 times each
	@scripts/test-crash.sh "$(BIN)/almanac" $(or $(ROUNDS),500) 8 100
	@scripts/test-writers.sh "$(BIN)/almanac" 8 100

test-room: setup ## Test one room: make test-room ROOM=Parquet
	@ALMANAC_ROOM=$(ROOM) swift test --scratch-path .build-$(ROOM)

check: setup ## Format, tidy rules, build with warnings as errors, tests
	@swift format lint --strict --recursive Sources Tests Package.swift
	@scripts/tidy.sh
	@ALMANAC_STRICT=1 swift build --build-tests --explicit-target-dependency-import-check error
	@ALMANAC_STRICT=1 $(MAKE) --no-print-directory test

format: ## Format the sources in place
	@swift format --in-place --recursive Sources Tests Package.swift

bench: build ## Print commit, train and get figures beside the peers'
	@Benchmarks/run.sh "$(BIN)/almanac"

bench-columnar: setup ## Print times of reading, writing and sorting columns beside the peers'
	@ALMANAC_ROOM=ColumnarBenchmark swift build -c release --scratch-path .build-ColumnarBenchmark
	@Benchmarks/Columnar/run.sh .build-ColumnarBenchmark/release/ColumnarBenchmark

bench-storage: build ## Print what commits, appends, upserts, scans and diffs cost beside Delta, Lance, DVC and DuckDB
	@Benchmarks/Storage/run.sh "$(BIN)/almanac"

bench-train: build ## Print what training sets cost beside Polars and DuckDB
	@Benchmarks/Training/run.sh "$(BIN)/almanac"

fuzz: setup ## Fuzz each reader, and expressions, for SECONDS (30 by default)
	@scripts/fuzz.sh $(or $(SECONDS),30)

clean: ## Remove build products
	@rm -rf .build .build-* demo-output
