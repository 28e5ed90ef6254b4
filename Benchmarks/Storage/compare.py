"""Storage side by side with peers in one run on the same data.

Ours is always a whole process (start, read Parquet, check 12 rules, write, make durable). DuckDB and DVC are whole processes too;
Delta and Lance are calls within a running Python process, without its start and imports: what they do fastest. Bytes are
what the repository's folder grows by. Every figure is the median of RUNS runs, each on a fresh copy of the state before.
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

RUNS = 5
almanac, row_count, small_count, dvc = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
root = pathlib.Path(__file__).resolve().parent.parent.parent
given = os.environ.get("ALMANAC_BENCH_DATA")
work = pathlib.Path(tempfile.mkdtemp(prefix="almanac-storage-"))
data = pathlib.Path(given) if given else work / "data"
os.environ["ALMANAC_AUTHOR"] = "benchmark"

DUCKDB_SORT = """
import sys, duckdb
duckdb.sql(f"copy (select * from '{sys.argv[1]}' order by user_id, event_timestamp, txn_id) to '{sys.argv[2]}' (format parquet, compression zstd)")
"""


def size(folder):
    return sum(path.stat().st_size for path in pathlib.Path(folder).rglob("*") if path.is_file())


# A small process starts and times the command: this one holds the peers' tables, and what it has touched would be counted as its
# children's memory and time.
TIMER = """
import os, subprocess, sys, time
started = time.perf_counter()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
print(time.perf_counter() - started, usage.ru_maxrss / 1024)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def process(command, **options):
    words = [str(part) for part in command]
    timed = subprocess.run([sys.executable, "-S", "-E", "-c", TIMER, *words], stdout=subprocess.PIPE, **options)
    if timed.returncode != 0:
        sys.exit(f"benchmark: {words[:6]} failed with {timed.returncode}")
    seconds, peak = timed.stdout.split()
    return float(seconds), float(peak)


def call(body):
    started = time.perf_counter()
    body()
    return time.perf_counter() - started


class Figure:
    """Seconds of several runs, bytes of the last one."""

    def __init__(self):
        self.seconds, self.byte_count, self.peak = [], 0, 0

    def add(self, seconds, byte_count=0, peak=0):
        self.seconds.append(seconds)
        self.byte_count = byte_count
        self.peak = max(self.peak, peak)

    def text(self):
        median = statistics.median(self.seconds)
        return f"{median:8.3f} s  {self.byte_count / 1e6:8.2f} MB" + (f"  peak {self.peak:5.0f} MB" if self.peak else "")


def show(name, who, figure):
    print(f"{name:<34} {who:<22} {figure.text()}", flush=True)


def restore(source, target):
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    os.sync()


def new_repository(folder):
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([almanac, "init", folder], check=True, stdout=subprocess.DEVNULL)
    shutil.copy(root / "schemas/examples/transactions.yaml", f"{folder}/schemas/")
    subprocess.run([almanac, "--repo", folder, "apply"], check=True, stdout=subprocess.DEVNULL)


def commit(folder, file, mode="append", peak=True):
    before = size(folder)
    seconds, memory = process([almanac, "--repo", folder, "commit", f"transactions={file}", "-m", mode, "--mode", mode])
    return seconds, size(folder) - before, memory if peak else 0


def first_commit():
    ours, duck = Figure(), Figure()
    for _ in range(RUNS):
        new_repository(work / "repo")
        ours.add(*commit(work / "repo", data / "base.parquet"))
        seconds, peak = process([sys.executable, "-c", DUCKDB_SORT, data / "base.parquet", work / "sorted.parquet"])
        duck.add(seconds, size_of(work / "sorted.parquet"), peak)
    show("first commit", "almanac", ours)
    show("first commit", "DuckDB sort + write", duck)
    table = pq.read_table(data / "base.parquet")
    delta, lance_figure, dvc_figure = Figure(), Figure(), Figure()
    for _ in range(3):
        shutil.rmtree(work / "delta", ignore_errors=True)
        shutil.rmtree(work / "lance", ignore_errors=True)
        delta.add(call(lambda: deltalake.write_deltalake(str(work / "delta"), table)), size(work / "delta"))
        lance_figure.add(call(lambda: lance.write_dataset(table, str(work / "lance"))), size(work / "lance"))
        dvc_figure.add(dvc_add(new=True), size(work / "dvc/.dvc/cache"))
    show("first write, unsorted", "Delta", delta)
    show("first write, unsorted", "Lance", lance_figure)
    show("first add of the file", "DVC", dvc_figure)


def size_of(path):
    return pathlib.Path(path).stat().st_size


def dvc_add(new=False):
    folder = work / "dvc"
    if new:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for command in (["git", "init", "-q"], [dvc, "init", "-q"]):
            subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        shutil.copy(data / "base.parquet", folder / "t.parquet")
    return process([dvc, "add", "-q", "t.parquet"], cwd=folder)[0]


def changes(kind, file, mode):
    ours = Figure()
    for _ in range(RUNS):
        restore(work / "state", work / "repo")
        ours.add(*commit(work / "repo", file, mode))
    show(kind, "almanac", ours)
    table = pq.read_table(file)
    delta, lance_figure = Figure(), Figure()
    for _ in range(3):
        restore(work / "delta", work / "delta-run")
        restore(work / "lance", work / "lance-run")
        before = size(work / "delta-run"), size(work / "lance-run")
        if mode == "append":
            delta.add(call(lambda: deltalake.write_deltalake(str(work / "delta-run"), table, mode="append")))
            lance_figure.add(call(lambda: lance.write_dataset(table, str(work / "lance-run"), mode="append")))
        else:
            on = ["user_id", "event_timestamp", "txn_id"]
            condition = " and ".join(f"s.{name} = t.{name}" for name in on)
            delta.add(
                call(
                    lambda: deltalake.DeltaTable(str(work / "delta-run"))
                    .merge(table, condition, source_alias="s", target_alias="t")
                    .when_matched_update_all().when_not_matched_insert_all().execute()
                ))
            lance_figure.add(
                call(lambda: lance.dataset(str(work / "lance-run")).merge_insert(on).when_matched_update_all().when_not_matched_insert_all().execute(table)))
        delta.byte_count = size(work / "delta-run") - before[0]
        lance_figure.byte_count = size(work / "lance-run") - before[1]
    show(kind, "Delta", delta)
    show(kind, "Lance", lance_figure)
    return ours


def dvc_append():
    dvc_add(new=True)
    before = size(work / "dvc/.dvc/cache")
    whole = pa.concat_tables([pq.read_table(data / "base.parquet"), pq.read_table(data / "append.parquet")])
    (work / "dvc/t.parquet").unlink()
    pq.write_table(whole, work / "dvc/t.parquet")
    figure = Figure()
    figure.add(dvc_add(), size(work / "dvc/.dvc/cache") - before)
    show("append 1 % (the file again)", "DVC", figure)


def scan(ref, folder, label):
    figure = Figure()
    for _ in range(RUNS):
        seconds, peak = process([almanac, "--repo", folder, "checkout", ref, "transactions", "--out", work / "scan.arrow"])
        figure.add(seconds, size_of(work / "scan.arrow"), peak)
    show(label, "almanac checkout", figure)
    return statistics.median(figure.seconds)


def diff(folder):
    figure = Figure()
    for _ in range(RUNS):
        figure.add(process([almanac, "--repo", folder, "diff", "main~1", "main", "transactions"])[0])
    show("diff of the two versions, counts", "almanac", figure)
    figure = Figure()
    for _ in range(RUNS):
        figure.add(process([almanac, "--repo", folder, "diff", "main~1", "main", "transactions", "--rows", "--json"])[0])
    show("diff of the two versions, rows", "almanac", figure)
    found = json.loads(subprocess.run([almanac, "--repo", folder, "diff", "main~1", "main", "transactions", "--json"], capture_output=True, check=True).stdout)
    assert found["datasets"]["transactions"]["changed"] == row_count // 1000, found


def many_commits(folder):
    seconds, before = [], size(folder)
    for n in range(small_count):
        seconds.append(process([almanac, "--repo", folder, "commit", f"transactions={data}/small/{n}.parquet", "-m", f"small {n}"])[0])
    step = max(1, small_count // 10)
    first, last = statistics.median(seconds[:step]), statistics.median(seconds[-step:])
    print(f"{small_count:,} commits of 100 rows each        median of the first {step}: {first:.3f} s, of the last {step}: {last:.3f} s ({last / first:.2f} x), "
          f"slowest {max(seconds):.3f} s, {(size(folder) - before) / small_count / 1e3:.1f} KB a commit", flush=True)


def unchanged(file, mode, name, prepare=None):
    restore(work / "state", work / "repo")
    if prepare:
        commit(work / "repo", prepare, mode)
    seconds, byte_count, _ = commit(work / "repo", file, mode)
    print(f"{name:<34} almanac {seconds:8.3f} s  {byte_count} bytes more", flush=True)


import pyarrow as pa
import pyarrow.parquet as pq
import deltalake
import lance

if not given:
    data.mkdir()
    subprocess.run([sys.executable, root / "Benchmarks/Storage/data.py", data, str(row_count), str(small_count)], check=True)
print(f"{row_count:,} transactions x 11 columns keyed by (user_id, event_timestamp, txn_id); median of {RUNS} runs")
print(f"the appended rows as zstd Parquet of PyArrow: {size_of(data / 'append.parquet') / 1e6:.2f} MB, the upserted: {size_of(data / 'upsert.parquet') / 1e6:.2f} MB")
first_commit()
os.rename(work / "repo", work / "state")
changes("append 1 %", data / "append.parquet", "append")
dvc_append()
changes("upsert a random 0.1 %", data / "upsert.parquet", "upsert")
before = scan("main~1", work / "repo", "full scan to Arrow before the upsert")
after = scan("main", work / "repo", "full scan to Arrow after it")
print(f"scan after / before: {after / before:.2f}")
diff(work / "repo")
unchanged(data / "upsert.parquet", "upsert", "an unchanged upsert again", prepare=data / "upsert.parquet")
unchanged(data / "base.parquet", "replace", "the whole file again, unchanged")
restore(work / "state", work / "repo")
many_commits(work / "repo")
shutil.rmtree(work)
