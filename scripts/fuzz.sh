#!/usr/bin/env bash
# Fuzzes the readers, and expressions, with libFuzzer: builds each target with coverage, starts from the fixtures (and the conformance files where
# they lie beside the project), and runs for the given time.
# Usage: scripts/fuzz.sh [SECONDS=30] [TARGET...]      targets: Parquet Arrow CSV JSONLines Expressions
# A finding is kept under .build-fuzz/findings/<target>/ and fails the run.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-30}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(Parquet Arrow CSV JSONLines Expressions)
scratch=$PWD/.build-fuzz
libraries=(-lxxhash -lzstd -llz4 -lsnappy -lz -lbrotlidec -lbrotlienc -lpcre2-8)
export SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0

seed() { # seed TARGET FOLDER: small real files to start from
  case $1 in
    Parquet) patterns=('*.parquet') ;;
    Arrow) patterns=('*.arrow' '*.arrows' '*.feather') ;;
    CSV) patterns=('*.csv' '*.tsv') ;;
    JSONLines) patterns=('*.jsonl') ;;
    Expressions) patterns=() ;;
  esac
  if [ "$1" = Expressions ]; then
    # A case a file.
    sed -E 's/ ;; .*//; s/^! //; /^#/d' fixtures/expressions/cases.txt | split -l 1 -a 3 - "$2/case-"
    # Their words, so that mutants are made of names rather than of letters.
    sed -E '/^#/d' fixtures/expressions/cases.txt | grep -oE "[A-Za-z_][A-Za-z_0-9]*" | sort -u | sed 's/.*/"&"/' >"$scratch/$1.dict"
    return
  fi
  for pattern in "${patterns[@]}"; do
    # One file of 3 KB expands to 2 GB: mutants of it would take seconds each.
    find fixtures Fuzz/"$1" ../shared/conformance -name "$pattern" -size -64k ! -name 'large_string*' -exec cp -f {} "$2" \; 2>/dev/null || true
  done
}

status=0
for target in "${targets[@]}"; do
  echo "fuzz: building $target"
  # Another room is another package to SwiftPM; with the plan of the build before it fails ("unknown build description").
  ALMANAC_ROOM=${target}Fuzzer swift build -c release --scratch-path "$scratch" --disable-build-manifest-caching \
    -Xswiftc -sanitize=fuzzer >"$scratch.log" 2>&1 || {
    tail -20 "$scratch.log" >&2
    exit 1
  }
  products=$(ALMANAC_ROOM=${target}Fuzzer swift build -c release --scratch-path "$scratch" --show-bin-path)
  rooms=(Columns "${target}Fuzzer")
  case $target in
    Expressions) ;;
    CSV | JSONLines) rooms+=(TextFormats JSON) ;;
    *) rooms+=("$target") ;;
  esac
  objects=()
  # By the sources: objects of files that are gone stay behind.
  for room in "${rooms[@]}"; do
    folder=Sources/$room
    [ -d "$folder" ] || folder=Fuzz/$target
    folders=("$folder")
    [ "$room" != ExpressionsFuzzer ] || folders+=(Sources/Features/Expressions Sources/Features/Definitions/{Suggestion,FeatureError}.swift)
    while IFS= read -r source; do objects+=("$products/$room.build/$(basename "$source").o"); done < <(find "${folders[@]}" -name '*.swift' ! -name '*+Hashes.swift')
  done
  swiftc -use-ld=lld -sanitize=fuzzer -parse-as-library "${objects[@]}" "${libraries[@]}" -o "$scratch/$target"
  mkdir -p "$scratch/corpus/$target" "$scratch/findings/$target"
  seed "$target" "$scratch/corpus/$target"
  echo "fuzz: running $target for $seconds s"
  options=()
  [ ! -f "$scratch/$target.dict" ] || options+=(-dict="$scratch/$target.dict")
  if ! "$scratch/$target" "${options[@]}" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -max_len=131072 -print_final_stats=1 \
    -artifact_prefix="$scratch/findings/$target/" "$scratch/corpus/$target" >"$scratch/$target.log" 2>&1; then
    echo "fuzz: $target has a finding:" >&2
    tail -40 "$scratch/$target.log" >&2
    status=1
  fi
  grep -E 'stat::number_of_executed_units|stat::peak_rss_mb|DONE' "$scratch/$target.log" | sed "s/^/fuzz: $target /" || true
done
exit $status
