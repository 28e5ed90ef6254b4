"""Does one piece of a peer's work as often as it is asked to: a line of standard input each, answered with its seconds.

Usage: peers.py WORK THREADS FILE. What stands before the loop, and dropping the result, are not timed.
"""

import os
import sys
import time

name, thread_count, file = sys.argv[1], int(sys.argv[2]), sys.argv[3]
os.environ["POLARS_MAX_THREADS"] = str(thread_count)
os.environ["OMP_NUM_THREADS"] = str(thread_count)


def pyarrow():
    import pyarrow as pa

    pa.set_cpu_count(thread_count)
    pa.set_io_thread_count(thread_count)
    return pa


def polars():
    import polars as pl

    return pl


def read_parquet():
    pyarrow()
    import pyarrow.parquet as pq

    return lambda: pq.read_table(file, use_threads=thread_count > 1)


def write_parquet():
    pa = pyarrow()
    import pyarrow.parquet as pq

    table = pq.read_table(file)

    def work():
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        return sink.getvalue()

    return work


def read_csv_pyarrow():
    pyarrow()
    from pyarrow import csv

    return lambda: csv.read_csv(file, read_options=csv.ReadOptions(use_threads=thread_count > 1))


def read_csv_polars():
    pl = polars()
    return lambda: pl.read_csv(file, try_parse_dates=True)


def read_arrow():
    pa = pyarrow()
    return lambda: pa.ipc.open_file(pa.memory_map(file)).read_all()


def write_arrow():
    pa = pyarrow()
    table = pa.ipc.open_file(pa.memory_map(file)).read_all()

    def work():
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        return sink.getvalue()

    return work


def sort():
    """10 M rows of id, time and row number, by the generator of SortWork.swift (SplitMix64 from 7)."""
    pl = polars()
    import numpy as np

    count = 10_000_000
    words = np.uint64(7) + np.arange(1, 2 * count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    words = words ^ (words >> np.uint64(31))
    keys = (words[0::2] % np.uint64(100_000)).astype(np.int64)
    times = (words[1::2] % np.uint64(120 * 86_400_000_000)).astype(np.int64) + 1_767_225_600_000_000
    frame = pl.DataFrame({"k": keys, "t": pl.Series(times).cast(pl.Datetime("us", "UTC")), "row": np.arange(count)})
    return lambda: frame.sort(["k", "t"], maintain_order=True)


work = {
    "read-parquet": read_parquet, "write-parquet": write_parquet, "read-csv-pyarrow": read_csv_pyarrow,
    "read-csv-polars": read_csv_polars, "read-arrow": read_arrow, "write-arrow": write_arrow, "sort": sort,
}[name]()
for _ in sys.stdin:
    start = time.perf_counter()
    result = work()
    elapsed = time.perf_counter() - start
    del result
    print(elapsed, flush=True)
