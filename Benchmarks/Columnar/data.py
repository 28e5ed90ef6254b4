"""The tables of the columnar benchmark: the same on every machine. Usage: data.py FOLDER ROWS"""

import pathlib
import sys

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.ipc as ipc
import pyarrow.parquet as pq


def transactions(row_count):
    """The table of Benchmarks/compare.py: 11 columns, 10 % nulls in one of them."""
    random = np.random.default_rng(7)
    users = max(1, row_count // 100)
    start = 1767225600_000000  # 2026-01-01
    times = start + random.integers(0, 120 * 86400_000000, row_count)
    stamp = pa.timestamp("us", tz="UTC")
    amount = np.round(random.lognormal(3, 1, row_count), 2)
    return pa.table({
        "user_id": pa.array(random.integers(1, users + 1, row_count)),
        "event_timestamp": pa.array(times, stamp),
        "txn_id": pa.array([f"T{n:010d}" for n in range(row_count)]),
        "created_timestamp": pa.array(times + random.integers(1, 3600_000000, row_count), stamp),
        "amount": pa.array(amount),
        "fx_rate": pa.array(np.round(random.uniform(0.5, 2, row_count), 4), mask=random.random(row_count) < 0.1),
        "balance": pa.array(np.round(random.normal(1000, 500, row_count), 2)),
        "merchant_id": pa.array(random.integers(1, 2000, row_count)),
        "items": pa.array(random.integers(1, 10, row_count).astype(np.int32)),
        "category": pa.array(random.choice(["food", "fuel", "travel", "books", "toys"], row_count)),
        "is_online": pa.array(random.random(row_count) < 0.4),
    })


if __name__ == "__main__":
    folder, row_count = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    table = transactions(row_count)
    for codec in ("snappy", "zstd", "none"):
        pq.write_table(table, folder / f"{codec}.parquet", compression=codec)
    csv.write_csv(table, folder / "plain.csv")
    for name, codec in (("plain", None), ("zstd", "zstd")):
        options = ipc.IpcWriteOptions(compression=codec)
        with ipc.new_file(str(folder / f"{name}.arrow"), table.schema, options=options) as writer:
            writer.write_table(table, max_chunksize=1 << 20)
