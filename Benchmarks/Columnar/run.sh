#!/usr/bin/env bash
# Prints a table of the columnar engine's times beside its peers', side by side in one run.
# Usage: Benchmarks/Columnar/run.sh PATH-OF-ColumnarBenchmark [ROWS] [WORK ...]    (5,000,000 rows; all works)
#
# What is compared:
# - Both sides run as processes that wait between pieces of work, and take turns: ours, peer, ours, peer. Each times the work
#   inside itself, from a file in the page cache to a table in memory that has all columns decoded, strings in full, or from
#   a table in memory to the bytes of a file in memory. The first piece of each is reported apart (cold); the median is of
#   the five that follow. Dropping the result is not timed on either side.
# - One thread means that the process is pinned to one processor as well; two means two threads on either side where the
#   peer has them. PyArrow writes Parquet on one thread always, from row groups of 1 Mi rows like ours, with dictionaries and
#   statistics; ours writes a page index and checksums in addition. Both use zstd level 1.
# - Our reader maps files, PyArrow's Parquet and CSV readers read them into memory, as is each one's habit.
# - Polars and we infer dates in CSV; so does PyArrow. Our strings have 64-bit offsets, PyArrow's have 32.
# - Polars sorts with maintain_order=True: ours is stable always.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=$(realpath "${1:?usage: Benchmarks/Columnar/run.sh PATH-OF-ColumnarBenchmark [ROWS] [WORK ...]}")
rows=${2:-5000000}
shift $(($# > 2 ? 2 : $#))
python=$(scripts/python.sh)
exec "$python" Benchmarks/Columnar/compare.py "$program" "$rows" "$@"
