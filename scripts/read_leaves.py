"""Reads every leaf of a repository with PyArrow, DuckDB and Polars; a helper of scripts/test-readers.sh.

    python scripts/read_leaves.py REPOSITORY DATASET=FIXTURE...

Each engine must read each leaf, all three must see the same rows, and the leaves of a dataset together must hold exactly
the fixture's rows, each as often as there. A leaf belongs to the dataset that has its columns. The last line is
"N passed, N failed".
"""
import collections
import pathlib
import sys

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq


def by_pyarrow(path):
    return pq.read_table(path, page_checksum_verification=True)


def by_duckdb(path):
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    # A relation's method, because that of a connection has another name in every version.
    return connection.read_parquet(str(path)).to_arrow_table()


def by_polars(path):
    return pl.read_parquet(path).to_arrow()


ENGINES = {"PyArrow": by_pyarrow, "DuckDB": by_duckdb, "Polars": by_polars}


def rows(table, names):
    """The rows with every value as a Python object that says its bits: times as microseconds, floats as hex."""
    columns = []
    for name in names:
        column = table[name]
        if pa.types.is_timestamp(column.type):
            columns.append(column.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_pylist())
        elif pa.types.is_floating(column.type):
            columns.append([None if value is None else float(value).hex() for value in column.to_pylist()])
        else:
            columns.append(column.to_pylist())
    return list(zip(*columns))


class Tally:
    passed = failed = 0

    def note(self, good, what):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED: {what}")


def read_leaf(path, tally):
    """The leaf's table as PyArrow reads it, if all engines read it and agree; None otherwise."""
    tables = {}
    for engine, read in ENGINES.items():
        try:
            tables[engine] = read(path)
            tally.note(True, "")
        except Exception as error:
            tally.note(False, f"{engine} cannot read {path.name}: {error}")
    reference = tables.get("PyArrow")
    if reference is None:
        return None
    for engine, table in tables.items():
        if engine == "PyArrow":
            continue
        same_names = table.column_names == reference.column_names
        same = same_names and rows(table, table.column_names) == rows(reference, reference.column_names)
        tally.note(same, f"{engine} reads other rows than PyArrow from {path.name}")
    return reference


def main(arguments):
    repository, fixtures = pathlib.Path(arguments[0]), dict(argument.split("=", 1) for argument in arguments[1:])
    expected = {name: pq.read_table(path) for name, path in fixtures.items()}
    found = collections.defaultdict(collections.Counter)
    tally = Tally()
    leaves = sorted((repository / ".almanac" / "leaves").rglob("*.parquet"))
    tally.note(len(leaves) > 0, f"there are no leaves under {repository}")
    counts = collections.Counter()
    for path in leaves:
        table = read_leaf(path, tally)
        if table is None:
            continue
        dataset = next((name for name, other in expected.items() if other.column_names == table.column_names), None)
        tally.note(dataset is not None, f"{path.name} has the columns of no dataset: {table.column_names}")
        if dataset:
            counts[dataset] += 1
            found[dataset].update(rows(table, table.column_names))
    for name, table in expected.items():
        wanted = collections.Counter(rows(table, table.column_names))
        tally.note(
            found[name] == wanted,
            f"the leaves of {name} hold {found[name].total()} rows, committed were {wanted.total()}; "
            f"{(wanted - found[name]).total()} are missing, {(found[name] - wanted).total()} too many")
        print(f"{name}: {counts[name]} leaves, {found[name].total()} rows")
    versions = f"PyArrow {pa.__version__}, DuckDB {duckdb.__version__}, Polars {pl.__version__}"
    print(f"read by {versions}")
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
