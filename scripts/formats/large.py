"""What does not fit a quick test: files of 2 GB within 500 MB of memory, 5,000 columns, 2^31 bytes of strings in one column.

    python scripts/formats/large.py ALMANAC [FOLDER]

FOLDER (a temporary one by default) needs about 12 GB. Memory is the process's peak resident set as the kernel accounts it. Each
result is read back by PyArrow or Polars and compared by row count and by sums over columns, not by value. Prints one line a check.
"""
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

from common import Tally

FILE_BYTES = 2_000_000_000
MEMORY_MAX_MB = 500


# A child's peak memory counts that of the process it was forked from: a small one starts the command.
LAUNCHER = """
import os, sys, time
start = time.perf_counter()
child = os.fork()
if child == 0:
    os.execv(sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(child, 0)
print(os.waitstatus_to_exitcode(status), time.perf_counter() - start, usage.ru_maxrss / 1024, file=sys.stderr)
"""


def measured(*command):
    """Exit code, seconds and peak memory in MB of a command."""
    result = subprocess.run([sys.executable, "-S", "-c", LAUNCHER, *map(str, command)], capture_output=True, text=True)
    *said, figures = result.stderr.strip().splitlines()
    code, seconds, memory = figures.split()
    if code != "0":
        print("\n".join(said), flush=True)
    return int(code), float(seconds), float(memory)


def transactions(random, first, count):
    times = 1767225600_000000 + random.integers(0, 120 * 86400_000000, count)
    stamp = pa.timestamp("us", tz="UTC")
    return pa.table({
        "user_id": pa.array(random.integers(1, 500_001, count)),
        "event_timestamp": pa.array(times, stamp),
        "txn_id": pa.array(np.char.add("T", (np.arange(count) + first).astype("U10"))),
        "created_timestamp": pa.array(times + random.integers(1, 3600_000000, count), stamp),
        "amount": pa.array(np.round(random.lognormal(3, 1, count), 2)),
        "fx_rate": pa.array(np.round(random.uniform(0.5, 2, count), 4), mask=random.random(count) < 0.1),
        "balance": pa.array(np.round(random.normal(1000, 500, count), 2)),
        "merchant_id": pa.array(random.integers(1, 2000, count)),
        "items": pa.array(random.integers(1, 10, count).astype(np.int32)),
        "category": pa.array(random.choice(["food", "fuel", "travel", "books", "toys"], count)),
        "is_online": pa.array(random.random(count) < 0.4),
    })


def make(path, row_group_rows):
    random = np.random.default_rng(3)
    rows = 0
    with open(path, "wb") as file:
        writer = None
        while file.tell() < FILE_BYTES:
            table = transactions(random, rows, 1 << 20)
            writer = writer or pq.ParquetWriter(file, table.schema, compression="snappy")
            writer.write_table(table, row_group_size=row_group_rows)
            rows += table.num_rows
        writer.close()
    return rows


def totals(batches):
    """Rows, the sum of merchant ids, and the null count of fx_rate."""
    rows = merchants = nulls = 0
    for batch in batches:
        rows += batch.num_rows
        merchants += pc.sum(batch["merchant_id"]).as_py() or 0
        nulls += batch["fx_rate"].null_count
    return rows, merchants, nulls


def parquet_totals(path):
    return totals(pq.ParquetFile(path).iter_batches(columns=["merchant_id", "fx_rate"]))


def arrow_totals(path):
    with pa.memory_map(str(path)) as source:
        reader = ipc.open_file(source)
        return totals(reader.get_batch(index) for index in range(reader.num_record_batches))


def csv_totals(path):
    import polars as pl

    frame = pl.scan_csv(path).select(pl.len(), pl.col("merchant_id").sum(), pl.col("fx_rate").null_count()).collect(engine="streaming")
    return tuple(frame.row(0))


def two_gigabytes(almanac, work, tally):
    source = work / "two.parquet"
    make(source, 1 << 20)
    expected = parquet_totals(source)
    for name, read in {"out.parquet": parquet_totals, "out.csv": csv_totals, "out.arrow": arrow_totals}.items():
        output = work / name
        code, seconds, memory = measured(almanac, "convert", source, output)
        size = output.stat().st_size if output.exists() else 0
        found = read(output) if code == 0 else None
        print(f"2 GB Parquet to {name}: {seconds:.1f} s, {memory:.0f} MB of memory, {size / 1e9:.2f} GB", flush=True)
        tally.note(code == 0 and found == expected, f"{name}: exit {code}, {found}, expected {expected}")
        tally.note(memory < MEMORY_MAX_MB, f"{name}: {memory:.0f} MB of memory, at most {MEMORY_MAX_MB}")
        if name == "out.csv":
            code, seconds, memory = measured(almanac, "convert", output, work / "back.parquet")
            print(f"{size / 1e9:.1f} GB CSV to Parquet: {seconds:.1f} s, {memory:.0f} MB of memory", flush=True)
            tally.note(code == 0 and parquet_totals(work / "back.parquet") == expected, f"CSV back to Parquet: exit {code}")
            tally.note(memory < MEMORY_MAX_MB, f"CSV back to Parquet: {memory:.0f} MB of memory, at most {MEMORY_MAX_MB}")
        output.unlink(missing_ok=True)
    source.unlink()


def one_row_group(almanac, work, tally):
    """A file whose only row group is far larger than the memory allowed."""
    random = np.random.default_rng(5)
    source, output = work / "group.parquet", work / "group-out.parquet"
    table = pa.concat_tables([transactions(random, first, 1 << 20) for first in range(0, 20 << 20, 1 << 20)])
    pq.write_table(table, source, row_group_size=table.num_rows, compression="snappy")
    del table
    code, seconds, memory = measured(almanac, "convert", source, output)
    print(f"one row group of {source.stat().st_size / 1e9:.2f} GB to Parquet: {seconds:.1f} s, {memory:.0f} MB of memory", flush=True)
    tally.note(code == 0 and parquet_totals(output) == parquet_totals(source), f"one row group: exit {code}")
    tally.note(memory < MEMORY_MAX_MB, f"one row group: {memory:.0f} MB of memory, at most {MEMORY_MAX_MB}")


def wide(almanac, work, tally):
    table = pa.table({f"column_{index}": pa.array([index, None, -index], pa.int64()) for index in range(5000)})
    source = work / "wide.parquet"
    pq.write_table(table, source)
    for name in ["wide.arrow", "wide.csv", "wide.jsonl", "wide-out.parquet"]:
        code, seconds, memory = measured(almanac, "convert", source, work / name)
        print(f"5,000 columns to {name}: {seconds:.2f} s, {memory:.0f} MB", flush=True)
        back = work / "wide-back.parquet"
        again, _, _ = measured(almanac, "convert", work / name, back) if code == 0 else (1, 0, 0)
        tally.note(code == again == 0 and pq.read_table(back).equals(table), f"5,000 columns through {name}: exits {code}, {again}")


def long_strings(almanac, work, tally):
    """More than 2^31 bytes of strings in one column of one table."""
    source, count = work / "strings.parquet", (1 << 31) // 1000 + 1000
    random = np.random.default_rng(9)
    block = pa.array([random.bytes(500).hex() for _ in range(1000)], pa.large_string())
    table = pa.table({"text": pa.chunked_array([block] * (count // 1000 + 1))})
    pq.write_table(table, source, use_dictionary=False, compression="snappy")
    rows, expected = table.num_rows, pc.sum(pc.binary_length(table["text"])).as_py()
    del table
    assert expected > 1 << 31
    for name in ["strings.arrow", "strings-out.parquet", "strings.csv", "strings.jsonl"]:
        output = work / name
        code, seconds, memory = measured(almanac, "convert", source, output)
        back = output if name.endswith("parquet") else work / "strings-back.parquet"
        if back != output and code == 0:
            code, _, _ = measured(almanac, "convert", output, back)
        found = (0, 0)
        if code == 0:
            batches = pq.ParquetFile(back).iter_batches(batch_size=100_000)
            found = tuple(map(sum, zip(*((b.num_rows, pc.sum(pc.binary_length(b["text"])).as_py()) for b in batches))))
        print(f"2^31 bytes of strings to {name}: {seconds:.1f} s, {memory:.0f} MB of memory", flush=True)
        tally.note(code == 0 and found == (rows, expected), f"2^31 bytes of strings through {name}: exit {code}, {found}")
        output.unlink(missing_ok=True)


def main():
    almanac, tally = sys.argv[1], Tally()
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        work = pathlib.Path(folder)
        for check in [wide, long_strings, one_row_group, two_gigabytes]:
            check(almanac, work, tally)
    tally.finish()


main()
