"""Converts every file of apache/parquet-testing to JSON Lines and compares it with PyArrow, value by value.

    python scripts/formats/conformance.py ALMANAC FOLDER

FOLDER holds `data` and `bad_data`. Files that PyArrow refuses have their expectation written here. A file of `bad_data` must be
read, or refused with exit code 4 and a sentence, within the time limit.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import pyarrow.parquet as pq

from common import Tally, columns, difference, lines, run

CORRUPT = {"datapage_v1-corrupt-checksum.parquet", "rle-dict-uncompressed-corrupt-checksum.parquet"}

# PyArrow wraps the times that nanoseconds, and the last one microseconds in its arithmetic, do not reach; these are what Spark wrote.
INT96_FROM_SPARK = [
    "2024-01-01T20:34:56.123456Z", "2024-01-01T01:00:00.000000Z", "9999-12-31T03:00:00.000000Z", "2024-12-30T23:00:00.000000Z", None,
    "+290000-12-30T23:00:00.000000Z",
]


def large_string_map(path):
    """PyArrow cannot return it; by the folder's README each of two rows is a map of one key, the letter a 2^30 times, to 1."""
    with open(path, encoding="utf-8") as file:
        return all(json.loads(line) == {"arr": [["a" * 2**30, 1]]} for line in file)


def check_data(almanac, path, work, tally):
    output = work / "out.jsonl"
    code, said = run(almanac, "convert", path, output)
    if path.name in CORRUPT:
        tally.note(code == 4 and "checksum" in said and "page" in said, f"{path.name} must be refused for its checksum: {code} {said}")
        return
    if path.name == "large_string_map.brotli.parquet":
        tally.note(code == 0 and large_string_map(output), f"{path.name}: {code} {said}")
        return
    if code != 0:
        tally.note(False, f"{path.name}: exit {code}: {said}")
        return
    if path.name == "int96_from_spark.parquet":
        found = lines(output, ["a"])
        tally.note(found == [INT96_FROM_SPARK], f"{path.name}: {found}")
        return
    table = pq.ParquetFile(path, page_checksum_verification=True).read()
    wrong = difference(columns(table), lines(output, table.column_names), table.column_names)
    tally.note(wrong is None, f"{path.name}: {wrong}")


def check_bad(almanac, path, work, tally):
    try:
        result = subprocess.run(
            ["bash", "-c", 'ulimit -v 8000000; exec "$0" "$@"', almanac, "convert", path, work / "bad.jsonl"], capture_output=True,
            text=True, timeout=60)
    except subprocess.TimeoutExpired:
        tally.note(False, f"{path.name}: no end after 60 s")
        return
    good = result.returncode == 0 or (result.returncode == 4 and "Cannot read" in result.stderr)
    tally.note(good, f"{path.name}: exit {result.returncode}: {result.stderr}")


def main():
    almanac, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    tally = Tally()
    with tempfile.TemporaryDirectory() as work:
        for path in sorted((folder / "data").rglob("*.parquet")):
            check_data(almanac, path, pathlib.Path(work), tally)
        for path in sorted((folder / "bad_data").rglob("*.parquet")):
            check_bad(almanac, path, pathlib.Path(work), tally)
    tally.finish()


main()
