"""The columnar engine beside its peers, in one run. Usage: compare.py PROGRAM ROWS [WORK ...]; see run.sh for what is fair."""

import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

ROUNDS = 5
here = pathlib.Path(__file__).resolve().parent
program, row_count, only = sys.argv[1], int(sys.argv[2]), sys.argv[3:]

# Title, our work, file, peer, the peer's work, threads.
WORKS = []
for threads in (1, 2):
    for codec in ("snappy", "zstd", "none"):
        WORKS.append((f"read Parquet, {codec}", "read-parquet", f"{codec}.parquet", "PyArrow", "read-parquet", threads))
for threads in (1, 2):
    WORKS.append(("write Parquet, zstd (PyArrow encodes on one thread)", "write-parquet", "none.parquet", "PyArrow", "write-parquet", threads))
for threads in (1, 2):
    WORKS.append(("read CSV", "read-csv", "plain.csv", "Polars", "read-csv-polars", threads))
    WORKS.append(("read CSV", "read-csv", "plain.csv", "PyArrow", "read-csv-pyarrow", threads))
for threads in (1, 2):
    WORKS.append(("read Arrow file, mapped", "read-arrow", "plain.arrow", "PyArrow", "read-arrow", threads))
    WORKS.append(("read Arrow file, zstd bodies", "read-arrow", "zstd.arrow", "PyArrow", "read-arrow", threads))
WORKS.append(("write Arrow file", "write-arrow", "plain.arrow", "PyArrow", "write-arrow", 1))
for threads in (1, 2):
    WORKS.append(("sort 10 M rows by (int64, timestamp), 3 columns", "sort", "none.parquet", "Polars", "sort", threads))


class Worker:
    """A process that waits between pieces of work; on one processor where one thread is compared."""

    def __init__(self, command, threads):
        pin = ["taskset", "-c", "1"] if threads == 1 and shutil.which("taskset") else []
        self.process = subprocess.Popen(pin + command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def seconds(self):
        try:
            self.process.stdin.write("\n")
            self.process.stdin.flush()
            return float(self.process.stdout.readline())
        except (ValueError, BrokenPipeError):
            reason = self.process.stderr.read().strip().splitlines()
            raise RuntimeError(reason[-1] if reason else "the process ended") from None

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def compare(title, ours_work, file, peer_name, peer_work, threads):
    ours = Worker([program, ours_work, str(threads), str(file)], threads)
    peer = Worker([sys.executable, str(here / "peers.py"), peer_work, str(threads), str(file)], threads)
    try:
        # The first piece of each is the cold one: fresh memory, libraries not yet loaded.
        figures = [(ours.seconds(), peer.seconds()) for _ in range(1 + ROUNDS)]
    except RuntimeError as error:
        print(f"{title:<52} {threads} not run: {error}", flush=True)
        return
    finally:
        ours.close()
        peer.close()
    warm = [statistics.median(column) for column in zip(*figures[1:])]
    cold = figures[0]
    print(
        f"{title:<52} {threads}  {peer_name:<8} {warm[0]:7.3f} {warm[1]:7.3f} {warm[1] / warm[0]:7.2f} x"
        f"   {cold[0]:7.3f} {cold[1]:7.3f} {cold[1] / cold[0]:7.2f} x", flush=True)


folder = pathlib.Path(tempfile.mkdtemp(prefix="almanac-bench-columnar-"))
try:
    subprocess.run([sys.executable, str(here / "data.py"), str(folder), str(row_count)], check=True)
    print(f"{row_count:,} transactions x 11 columns; seconds within the process, median of {ROUNDS} after a first one, which is 'cold'; x = peer / ours")
    print(f"{'work':<52} {'t':<2} {'peer':<8} {'ours':>7} {'peer':>7} {'':9}   {'cold':>7} {'peer':>7}")
    for title, ours_work, file, peer_name, peer_work, threads in WORKS:
        if not only or ours_work in only:
            compare(title, ours_work, folder / file, peer_name, peer_work, threads)
finally:
    shutil.rmtree(folder)
