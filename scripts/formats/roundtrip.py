"""Round trips between `almanac convert` and PyArrow, DuckDB, Polars and pandas, in both directions.

    python scripts/formats/roundtrip.py ALMANAC [SEED]

Generated tables (tables.py) cover every type, in columns without nulls, with some and with nulls alone, of no row, one row and many.
Each file another engine writes (every codec, page version and encoding) must become the same JSON Lines values; each file that
Almanac writes must hold the same values in every engine.
"""
import itertools
import pathlib
import sys
import tempfile

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.feather as feather
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

from common import Tally, columns, difference, lines, run
from tables import table

CODECS = ["none", "snappy", "gzip", "brotli", "lz4", "zstd"]
ROWS = [0, 1, 333]


class Checks:
    def __init__(self, almanac, work, seed):
        self.almanac, self.work, self.seed, self.tally = almanac, pathlib.Path(work), seed, Tally()

    def reads(self, path, expected, what):
        """Our JSON Lines of a foreign file hold the expected table."""
        output = self.work / "read.jsonl"
        code, said = run(self.almanac, "convert", path, output)
        if code != 0:
            return self.tally.note(False, f"{what}: exit {code}: {said:.300}")
        names = expected.column_names
        wrong = difference(columns(expected), lines(output, names), names)
        self.tally.note(wrong is None, f"{what}: {wrong}")

    def converts(self, source, target, *options):
        code, said = run(self.almanac, "convert", source, target, *options)
        if code != 0:
            self.tally.note(False, f"convert to {target.name} {' '.join(options)}: exit {code}: {said:.300}")
        return code == 0

    def holds(self, found, expected, what):
        names = expected.column_names
        try:
            found = found().select(names)
            wrong = difference(columns(expected), columns(found), names)
        except Exception as error:  # an engine that cannot read what we wrote is a failure, whatever it says
            wrong = f"{type(error).__name__}: {error}"
        self.tally.note(wrong is None, f"{what}: {wrong:.400}" if wrong else what)


def without(source, *names):
    """The table without the columns of these types, which an engine does not have or reads as others."""
    return source.select([name for name in source.column_names if name.split("__")[0] not in names])


def foreign_parquet(checks):
    path = checks.work / "foreign.parquet"
    for rows in ROWS:
        source = table(checks.seed + rows, rows)
        for codec, version, dictionary in itertools.product(CODECS, ["1.0", "2.0"], [True, False]):
            if rows != 333 and codec not in ("none", "zstd"):
                continue
            pq.write_table(
                source, path, compression=codec, data_page_version=version, use_dictionary=dictionary, version="2.6",
                data_page_size=700, write_page_index=dictionary, write_page_checksum=not dictionary, row_group_size=150)
            checks.reads(path, source, f"PyArrow Parquet, {rows} rows, {codec}, pages {version}, dictionary {dictionary}")
    encodings = {
        "DELTA_BINARY_PACKED": ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "date", "timestamp_us", "time_us"],
        "DELTA_LENGTH_BYTE_ARRAY": ["string", "binary", "large_string"],
        "DELTA_BYTE_ARRAY": ["string", "binary", "large_string", "fixed_5", "fixed_16"],
        "BYTE_STREAM_SPLIT": ["float", "double", "half", "int32", "int64", "fixed_5", "fixed_16", "decimal_38_10", "int8", "uint64"],
        "RLE": ["bool"],
        "PLAIN": ["bool", "int8", "uint16", "string", "decimal_9_2", "half", "fixed_5"],
    }
    for (encoding, names), version, codec in itertools.product(encodings.items(), ["1.0", "2.0"], ["none", "zstd"]):
        source = table(checks.seed + 7, 3000, nested=False, only=names)
        pq.write_table(
            source, path, compression=codec, data_page_version=version, use_dictionary=False, data_page_size=2000,
            column_encoding={name: encoding for name in source.column_names})
        checks.reads(path, source, f"PyArrow Parquet, {encoding}, {codec}, pages {version}")
    source = table(checks.seed + 8, 333, nested=False, only=["timestamp_us", "timestamp_ns"])
    pq.write_table(source, path, use_deprecated_int96_timestamps=True)
    checks.reads(path, source, "PyArrow Parquet, INT96")
    far = pa.table({"t": pa.array([253_402_214_400_000_000, None, -62_135_596_800_000_000, 1], pa.timestamp("us"))})
    pq.write_table(far, path, use_deprecated_int96_timestamps=True)
    checks.reads(path, far, "PyArrow Parquet, INT96 of the years 1 and 9999")
    source = without(table(checks.seed + 9, 333), "half", "fixed_5", "fixed_16", "time_ns", "timestamp_ns_berlin", "uint64")
    for codec in ["uncompressed", "snappy", "gzip", "zstd", "lz4_raw", "brotli"]:
        for version in ["V1", "V2"]:
            connection = duckdb.connect()
            connection.execute("set timezone = 'UTC'")
            connection.register("source", source)
            connection.execute(f"copy source to '{path}' (format parquet, codec '{codec}', parquet_version '{version}')")
            checks.reads(path, source, f"DuckDB Parquet, {codec}, {version}")
    source = without(table(checks.seed + 10, 333), "half", "map", "map_list", "fixed_5", "fixed_16", "time_ms")
    for codec in ["uncompressed", "snappy", "gzip", "brotli", "lz4", "zstd"]:
        frame = pl.from_arrow(source)
        frame.write_parquet(path, compression=codec, data_page_size=1000, row_group_size=100)
        checks.reads(path, source, f"Polars Parquet, {codec}")
    source = without(table(checks.seed + 11, 333, nested=False, shapes={"some_null": 0.2}), "half")
    source.to_pandas(types_mapper=pd.ArrowDtype).to_parquet(path)
    checks.reads(path, source, "pandas Parquet")


def foreign_arrow(checks):
    path = checks.work / "foreign.arrow"
    for rows, codec in itertools.product(ROWS, [None, "lz4", "zstd"]):
        source = table(checks.seed + 20 + rows, rows)
        options = ipc.IpcWriteOptions(compression=codec)
        with ipc.new_file(path, source.schema, options=options) as writer:
            writer.write_table(source, max_chunksize=100)
        checks.reads(path, source, f"PyArrow IPC file, {rows} rows, {codec}")
        stream = checks.work / "foreign.arrows"
        with ipc.new_stream(stream, source.schema, options=options) as writer:
            writer.write_table(source, max_chunksize=100)
        checks.reads(stream, source, f"PyArrow IPC stream, {rows} rows, {codec}")
    source = table(checks.seed + 21, 333)
    feather.write_feather(source, path)
    checks.reads(path, source, "Feather V2")
    names = ["string__some_null", "large_string__required", "int64__some_null"]
    source = pa.table({name: source[name].dictionary_encode() for name in names})
    feather.write_feather(source, path)
    checks.reads(path, source, "PyArrow IPC with dictionaries")
    source = without(table(checks.seed + 22, 333), "map", "map_list")
    for codec in ["uncompressed", "lz4", "zstd"]:
        pl.from_arrow(source).write_ipc(path, compression=codec)
        checks.reads(path, source, f"Polars IPC, {codec}")


def own_files(checks):
    source_path = checks.work / "source.arrow"
    for rows in ROWS:
        source = table(checks.seed + 40 + rows, rows)
        feather.write_feather(source, source_path, compression="uncompressed")
        for codec in CODECS:
            path = checks.work / "own.parquet"
            if not checks.converts(source_path, path, "--codec", codec):
                continue
            what = f"our Parquet, {rows} rows, {codec}"
            checks.holds(lambda: pq.ParquetFile(path, page_checksum_verification=True).read(), source, f"PyArrow reads {what}")
            checks.holds(lambda: by_duckdb(path), without(source, "half", "time_ns", "timestamp_ns_berlin"), f"DuckDB reads {what}")
            checks.holds(lambda: pl.read_parquet(path).to_arrow(), without(source, "half", "map", "map_list"), f"Polars reads {what}")
            checks.reads(path, source, what)
        frame = pd.read_parquet(path, dtype_backend="pyarrow")
        checks.holds(lambda: pa.Table.from_pandas(frame), source, f"pandas reads our Parquet, {rows} rows")
        for name in ["own.arrow", "own.arrows"]:
            path = checks.work / name
            if checks.converts(source_path, path):
                opened = (lambda: ipc.open_file(path).read_all()) if name == "own.arrow" else (lambda: ipc.open_stream(path).read_all())
                checks.holds(opened, source, f"PyArrow reads our {name}, {rows} rows")
                checks.reads(path, source, f"our {name}, {rows} rows")
        path = checks.work / "own.arrow"
        checks.holds(lambda: pl.read_ipc(path).to_arrow(), without(source, "map", "map_list"), f"Polars reads our IPC file, {rows} rows")
        if not checks.converts(source_path, checks.work / "own.jsonl"):
            continue
        names = source.column_names
        wrong = difference(columns(source), lines(checks.work / "own.jsonl", names), names)
        checks.tally.note(wrong is None, f"our JSON Lines, {rows} rows: {wrong}")


TEXT_TYPES = ["int8", "int64", "uint32", "double", "bool", "string", "date", "timestamp_us_utc"]


def text_files(checks):
    """CSV in both directions: what types say in text, quoting, and null against the empty string."""
    path = checks.work / "foreign.csv"
    shapes = {"required": 0.0, "some_null": 0.25}
    for rows in [1, 333]:
        source = without(table(checks.seed + 60 + rows, rows, nested=False, shapes=shapes, only=TEXT_TYPES), "float")
        original = checks.work / "text.arrow"
        feather.write_feather(source, original, compression="uncompressed")
        for name in ["text.csv", "text.tsv"]:
            if not checks.converts(original, checks.work / name):
                continue
            options = csv.ConvertOptions(
                column_types=source.schema, strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""],
                timestamp_parsers=["%Y-%m-%dT%H:%M:%S.%fZ", csv.ISO8601])
            parsing = csv.ParseOptions(delimiter="," if name == "text.csv" else "\t", newlines_in_values=True)
            checks.holds(
                lambda: csv.read_csv(checks.work / name, parse_options=parsing, convert_options=options), source,
                f"PyArrow reads our {name}, {rows} rows")
            checks.reads(checks.work / name, source, f"our {name}, {rows} rows") if rows > 1 else None
        # What others write has no mark for null but the empty field: strings that are never empty.
        plain = table(checks.seed + 70 + rows, rows, nested=False, shapes=shapes, only=["int64", "double", "bool", "date"])
        pl.from_arrow(plain).write_csv(path)
        if rows > 1:
            checks.reads(path, plain, "Polars CSV")
            csv.write_csv(plain, path)
            checks.reads(path, plain, "PyArrow CSV")
            finite = plain.select([name for name in plain.column_names if not name.startswith("double")])
            source_lines = checks.work / "foreign.jsonl"
            pl.from_arrow(finite).write_ndjson(source_lines)
            checks.reads(source_lines, finite, "Polars JSON Lines")


def by_duckdb(path):
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    return connection.read_parquet(str(path)).to_arrow_table()


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 20260101
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as work:
        checks = Checks(sys.argv[1], work, seed)
        foreign_parquet(checks)
        foreign_arrow(checks)
        own_files(checks)
        text_files(checks)
        checks.tally.finish()


main()
