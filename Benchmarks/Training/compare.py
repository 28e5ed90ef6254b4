"""Runs the training benchmark: python compare.py ALMANAC ROWS LABELS.

Every figure is of a whole process: start, read Parquet, join, write Parquet. Ours and the peers' take turns, the best of three counts. Ours reads
committed datasets, the peers read Parquet files of the same rows in random order. Afterwards every value is compared.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

import polars as pl

binary, row_count, label_count = sys.argv[1], sys.argv[2], sys.argv[3]
here = pathlib.Path(__file__).parent
ROUNDS = 3


def run(*command, cwd=None):
    """Seconds of the whole process, CPU seconds and peak MB."""
    start = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], cwd=cwd, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{command} failed with status {status}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def differences(mine, theirs):
    """Rows in which a column of ours differs from theirs by more than 1e-9."""
    a, b = pl.read_parquet(mine), pl.read_parquet(theirs)
    total = 0
    for name in a.columns:
        if name in ("event_timestamp", "t"):
            continue
        x, y = a[name], b[name]
        if x.dtype.is_float():
            same = ((x - y).abs() <= 1e-9 * y.abs()).fill_null(x.is_null() & y.is_null())
        else:
            same = x.eq_missing(y.cast(x.dtype))
        total += int((~same).sum())
    return total


def prepare(folder, rows, labels):
    """Tables of a size, and a repository that holds them."""
    folder.mkdir()
    run(sys.executable, here / "data.py", folder, rows, labels)
    repository = folder / "repository"
    run(binary, "init", repository)
    run(sys.executable, here / "repository.py", repository)
    run(binary, "--repo", repository, "apply")
    inputs = [f"{table}={folder / table}.parquet" for table in ("payments", "sessions", "ratings")]
    print("commit: %.2f s, %.2f s CPU, %.0f MB" % run(binary, "--repo", repository, "commit", *inputs, "-m", "load"), flush=True)
    return folder


def train(folder, service, labels, out):
    return run(binary, "--repo", folder / "repository", "train", service, "--labels", labels, "--out", out)


with tempfile.TemporaryDirectory() as name:
    folder = prepare(pathlib.Path(name) / "one", row_count, label_count)
    single = {}
    for service, peers in (("latest", ["polars-latest", "duckdb-latest"]), ("windows", ["duckdb-windows"])):
        out = folder / f"{service}.parquet"
        best = {}
        for _ in range(ROUNDS):
            for program in ("almanac", *peers):
                if program == "almanac":
                    measured = train(folder, service, folder / "labels.parquet", out)
                else:
                    measured = run(sys.executable, here / "peers.py", program, folder, folder / f"{program}.parquet")
                best[program] = min(best.get(program, measured), measured)
        single[service] = best["almanac"][0]
        for program, measured in best.items():
            print(f"{service} {program}: %.2f s, %.2f s CPU, %.0f MB, {measured[0] / best['almanac'][0]:.1f} x" % measured)
        for peer in peers:
            print(f"{service}: {differences(out, folder / f'{peer}.parquet')} values differ from {peer}", flush=True)
    double = prepare(pathlib.Path(name) / "two", str(2 * int(row_count)), label_count)
    cases = [("twice the rows", double, double / "labels.parquet")]
    for factor in (2, 10):
        more = folder / f"labels{factor}.parquet"
        run(sys.executable, here / "data.py", folder, row_count, str(factor * int(label_count)), more)
        cases.append((f"{factor} times the labels", folder, more))
    for text, place, labels in cases:
        for service in single:
            measured = min(train(place, service, labels, folder / "more.parquet") for _ in range(2))
            print(f"{service}, {text}: %.2f s, %.2f s CPU, %.0f MB, {measured[0] / single[service]:.2f} times as long" % measured, flush=True)
