"""Makes the tables of the training benchmark: python data.py FOLDER ROWS LABELS [FILE] (fixed seed).

ROWS is the size of the largest table; the three that are joined have 1.375 times as many together.
With FILE only other labels are made, in this file.
"""

import pathlib
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

folder, row_count, label_count = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
START = 1767225600_000000  # 2026-01-01
SPAN = 120 * 86400_000000
STAMP = pa.timestamp("us", tz="UTC")
random = np.random.default_rng(11)
user_count = max(2, row_count // 100)


def stamps(count):
    return pa.array(START + random.integers(0, SPAN, count), STAMP)


def table(count, numbers, integers, flags):
    columns = {"user_id": pa.array(random.integers(1, user_count, count)), "event_timestamp": stamps(count),
               "id": pa.array(np.arange(count))}
    for name in numbers:
        columns[name] = pa.array(np.round(random.lognormal(3, 1, count), 2))
    for name in integers:
        columns[name] = pa.array(random.integers(0, 1000, count))
    for name in flags:
        columns[name] = pa.array(random.random(count) < 0.4)
    return pa.table(columns)


labels = pathlib.Path(sys.argv[4]) if len(sys.argv) > 4 else folder / "labels.parquet"
if len(sys.argv) <= 4:
    pq.write_table(table(row_count, ["amount", "balance", "rate"], ["items", "merchant", "points"], ["online", "refund"]),
                   folder / "payments.parquet")
    pq.write_table(table(row_count // 4, ["duration", "scroll", "speed"], ["pages", "clicks", "errors"], ["mobile"]),
                   folder / "sessions.parquet")
    pq.write_table(table(row_count // 8, ["score", "income"], ["age", "tenure"], []), folder / "ratings.parquet")
pq.write_table(pa.table({
    "user_id": pa.array(random.integers(1, user_count + user_count // 50, label_count)), "event_timestamp": stamps(label_count),
    "label": pa.array(random.random(label_count) < 0.1)}), labels)
