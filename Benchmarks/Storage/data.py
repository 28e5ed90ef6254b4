"""Makes the tables of the storage benchmark: python data.py FOLDER ROWS (fixed seed)."""

import pathlib
import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

folder, row_count = pathlib.Path(sys.argv[1]), int(sys.argv[2])
START = 1767225600_000000  # 2026-01-01
STAMP = pa.timestamp("us", tz="UTC")


def transactions(random, count, first_id):
    times = START + random.integers(0, 120 * 86400_000000, count)
    return pa.table({
        "user_id": pa.array(random.integers(1, max(2, row_count // 100), count)),
        "event_timestamp": pa.array(times, STAMP),
        "txn_id": pa.array([f"T{n:010d}" for n in range(first_id, first_id + count)]),
        "created_timestamp": pa.array(times + random.integers(1, 3600_000000, count), STAMP),
        "amount": pa.array(np.round(random.lognormal(3, 1, count), 2)),
        "fx_rate": pa.array(np.round(random.uniform(0.5, 2, count), 4), mask=random.random(count) < 0.1),
        "balance": pa.array(np.round(random.normal(1000, 500, count), 2)),
        "merchant_id": pa.array(random.integers(1, 2000, count)),
        "items": pa.array(random.integers(1, 10, count).astype(np.int32)),
        "category": pa.array(random.choice(["food", "fuel", "travel", "books", "toys"], count)),
        "is_online": pa.array(random.random(count) < 0.4),
    })


random = np.random.default_rng(7)
whole = transactions(random, row_count, 0)
pq.write_table(whole, folder / "base.parquet")
pq.write_table(transactions(random, row_count // 100, row_count), folder / "append.parquet", compression="zstd")
# A random 0.1 % with other amounts and balances.
chosen = whole.take(pa.array(np.sort(random.choice(row_count, row_count // 1000, replace=False))))
for name in ("amount", "balance"):
    chosen = chosen.set_column(chosen.column_names.index(name), name, pc.add(chosen[name], 1.0))
pq.write_table(chosen, folder / "upsert.parquet", compression="zstd")
# Small commits, one after the other.
(folder / "small").mkdir(exist_ok=True)
small_count = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
small = transactions(random, 100 * small_count, 2 * row_count)
for n in range(small_count):
    pq.write_table(small.slice(100 * n, 100), folder / "small" / f"{n}.parquet")
