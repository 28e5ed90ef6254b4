"""Commit, train and get, side by side with peers in one run.

Every figure is a whole process (start, read Parquet, work, write Parquet), the median of RUNS runs, with peak
memory as the operating system accounts it. Peers do the same work on the same files: DuckDB sorts and writes the table (it does
not hash, check a contract, or version); Polars joins as-of with a tolerance per view.
"""

import http.client
import json
import os
import pathlib
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

RUNS = 5
almanac, row_count = sys.argv[1], int(sys.argv[2])
label_count = max(1, row_count // 10)
root = pathlib.Path(__file__).resolve().parent.parent
# The data are made by a process of its own: what this one has touched would count as its children's peak memory.
making = len(sys.argv) > 3
work = pathlib.Path(sys.argv[3] if making else tempfile.mkdtemp(prefix="almanac-bench-"))


def make_data():
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng(7)
    users = max(1, row_count // 100)
    start = 1767225600_000000  # 2026-01-01
    times = start + random.integers(0, 120 * 86400_000000, row_count)
    stamp = pa.timestamp("us", tz="UTC")
    amount = np.round(random.lognormal(3, 1, row_count), 2)
    table = pa.table({
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
    pq.write_table(table, work / "transactions.parquet")
    labels = pa.table({
        "user_id": pa.array(random.integers(1, users + 1, label_count)),
        "event_timestamp": pa.array(start + random.integers(0, 120 * 86400_000000, label_count), stamp),
        "is_fraud": pa.array(random.random(label_count) < 0.01),
    })
    pq.write_table(labels, work / "labels.parquet")


FEATURES = """
entities:
- {name: user, keys: [{name: user_id, type: int64}]}
feature_views:
- name: latest
  entity: user
  source: transactions
  ttl: 30d
  features:
  - {name: last_amount, expr: amount}
  - {name: last_balance, expr: balance}
  - {name: last_category, expr: category}
- name: windows
  entity: user
  source: transactions
  features:
  - {name: count_7d, agg: count, window: 7d}
  - {name: sum_7d, agg: sum, of: amount, window: 7d}
  - {name: max_30d, agg: max, of: amount, window: 30d}
feature_services:
- {name: asof, features: ["latest:*"]}
- {name: windowed, features: ["windows:*"]}
"""

POLARS = """
import sys, polars as pl
labels = pl.read_parquet(sys.argv[1]).with_row_index("row").sort("event_timestamp")
rows = pl.read_parquet(sys.argv[2], columns=["user_id", "event_timestamp", "amount", "balance", "category"]).sort("event_timestamp")
out = labels.join_asof(rows, on="event_timestamp", by="user_id", tolerance="30d", check_sortedness=False).sort("row").drop("row")
out.write_parquet(sys.argv[3])
"""

DUCKDB_SORT = """
import sys, duckdb
duckdb.sql(f"copy (select * from '{sys.argv[1]}' order by user_id, event_timestamp, txn_id) to '{sys.argv[2]}' (format parquet, compression zstd)")
"""

DUCKDB_WINDOWS = """
import sys, duckdb
duckdb.sql(f'''copy (
  select l.*, w.* exclude (i) from (select row_number() over () as i, * from '{sys.argv[1]}') l join (
    select i, count(amount) filter (t > e - interval 7 day) as count_7d, sum(amount) filter (t > e - interval 7 day) as sum_7d, max(amount) as max_30d
    from (select l.i, l.event_timestamp as e, r.event_timestamp as t, r.amount
          from (select row_number() over () as i, user_id, event_timestamp from '{sys.argv[1]}') l
          left join '{sys.argv[2]}' r on r.user_id = l.user_id and r.event_timestamp <= l.event_timestamp
            and r.event_timestamp > l.event_timestamp - interval 30 day) group by i) w using (i) order by l.i
) to '{sys.argv[3]}' (format parquet)''')
"""


def timed(command, before=None):
    """Median wall seconds and peak MB of a whole process."""
    seconds, peak = [], 0
    for _ in range(RUNS):
        if before:
            before()
        started = time.perf_counter()
        process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds.append(time.perf_counter() - started)
        if process.returncode != 0:
            sys.exit(f"benchmark: {command[:3]} failed with {process.returncode}")
        peak = max(peak, usage.ru_maxrss / 1024)
    return statistics.median(seconds), peak


def show(work_name, ours, peer_name, peer):
    ratio = peer[0] / ours[0]
    print(f"{work_name:<52} almanac {ours[0]:7.3f} s {ours[1]:6.0f} MB   {peer_name:<18} {peer[0]:7.3f} s {peer[1]:6.0f} MB   {ratio:5.2f} x")


def make_repository(folder):
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([almanac, "init", folder], check=True, stdout=subprocess.DEVNULL)
    shutil.copy(root / "schemas/examples/transactions.yaml", f"{folder}/schemas/")
    pathlib.Path(f"{folder}/features/bench.yaml").write_text(FEATURES)
    subprocess.run([almanac, "--repo", folder, "apply"], check=True, stdout=subprocess.DEVNULL)


def serve_figures(folder):
    process = subprocess.Popen([almanac, "--repo", folder, "serve", "--port", "0"], stderr=subprocess.PIPE, text=True)
    try:
        address = re.search(r"http://([^:]+):(\d+)", process.stderr.readline())
        connection = http.client.HTTPConnection(address.group(1), int(address.group(2)))
        for entity_count in (1, 10, 100):
            samples = []
            for n in range(2000):
                body = json.dumps({"feature_service": "windowed", "entities": {"user_id": [(n * 7 + k) % 5000 + 1 for k in range(entity_count)]}, "at": "2026-05-02T00:00:00Z"})
                started = time.perf_counter()
                connection.request("POST", "/get-online-features", body)
                response = connection.getresponse()
                response.read()
                samples.append(time.perf_counter() - started)
                assert response.status == 200, response.status
            samples.sort()
            print(f"get, {entity_count:>3} entities, one connection, Python client       p50 {samples[len(samples) // 2] * 1e3:6.2f} ms   p99 {samples[len(samples) * 99 // 100] * 1e3:6.2f} ms")
    finally:
        process.terminate()
        process.wait()


if making:
    make_data()
    sys.exit()
subprocess.run([sys.executable, __file__, almanac, str(row_count), str(work)], check=True)
repo = str(work / "repo")
python = sys.executable
print(f"{row_count:,} transactions x 11 columns, {label_count:,} labels; median of {RUNS} runs, whole process; x = peer's time / ours")
ours = timed([almanac, "--repo", repo, "commit", f"transactions={work}/transactions.parquet", "-m", "load"], lambda: make_repository(repo))
peer = timed([python, "-c", DUCKDB_SORT, work / "transactions.parquet", work / "sorted.parquet"])
show("first commit (sort, check, hash, encode, fsync)", ours, "DuckDB sort+write", peer)
ours = timed([almanac, "--repo", repo, "train", "asof", "--labels", work / "labels.parquet", "--out", work / "ours.parquet"])
peer = timed([python, "-c", POLARS, work / "labels.parquet", work / "transactions.parquet", work / "peer.parquet"])
show("train, latest values within 30 d", ours, "Polars join_asof", peer)
ours = timed([almanac, "--repo", repo, "train", "windowed", "--labels", work / "labels.parquet", "--out", work / "ours-w.parquet"])
peer = timed([python, "-c", DUCKDB_WINDOWS, work / "labels.parquet", work / "transactions.parquet", work / "peer-w.parquet"])
show("train, exact windows over 7 d and 30 d", ours, "DuckDB range join", peer)
ours = timed([almanac, "--repo", repo, "materialize"])
print(f"{'materialize again, nothing changed (images reused)':<52} almanac {ours[0]:7.3f} s {ours[1]:6.0f} MB")
import pyarrow.parquet as pq

a, b = pq.read_table(work / "ours-w.parquet"), pq.read_table(work / "peer-w.parquet")
assert a["count_7d"].to_pylist() == b["count_7d"].to_pylist(), "the window counts differ from DuckDB's"
serve_figures(repo)
shutil.rmtree(work)
