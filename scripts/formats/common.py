"""What the format tests share: running the command, and one canonical form for the values of every engine."""
import base64
import datetime
import json
import math
import subprocess
import sys

import pyarrow as pa

UNIT_NANOS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
EPOCH = datetime.date(1970, 1, 1)


class Tally:
    """Counts checks; prints those that fail, and at the end "N passed, N failed"."""

    passed = failed = 0

    def note(self, good, what):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED: {what}", flush=True)

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed or not self.passed else 0)


def run(almanac, *arguments):
    """The exit code and what was said on standard error."""
    result = subprocess.run([almanac, *map(str, arguments)], capture_output=True, text=True)
    return result.returncode, (result.stdout + result.stderr).strip()


def fraction(nanos):
    """Six digits, nine where nanoseconds are no whole microseconds."""
    return f"{nanos:09d}" if nanos % 1000 else f"{nanos // 1000:06d}"


def date_text(days):
    # Years beyond Python's calendar: shift by whole 400-year cycles of 146,097 days.
    cycles = 0
    while days < -719162:
        days, cycles = days + 146097, cycles - 1
    while days > 2932896:
        days, cycles = days - 146097, cycles + 1
    date = EPOCH + datetime.timedelta(days=days)
    year = date.year + 400 * cycles
    text = f"{year:04d}" if 0 <= year <= 9999 else f"{'+' if year > 0 else '-'}{abs(year):05d}"
    return f"{text}-{date.month:02d}-{date.day:02d}"


def clock_text(nanos):
    seconds, rest = divmod(nanos, 10**9)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{fraction(rest)}"


def canonical(scalar):
    """The value of an Arrow scalar as `almanac convert` writes it to JSON Lines."""
    if isinstance(scalar, pa.ExtensionScalar):
        scalar = scalar.value
    if scalar is None or not scalar.is_valid:
        return None
    kind = scalar.type
    if pa.types.is_dictionary(kind):
        return canonical(scalar.dictionary[scalar.index.as_py()])
    if pa.types.is_floating(kind):
        value = float(scalar.as_py())
        return value if math.isfinite(value) else "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if pa.types.is_decimal(kind):
        return format(scalar.as_py(), "f")
    if (
        pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
    ):
        return base64.b64encode(scalar.as_py()).decode()
    if pa.types.is_date32(kind):
        return date_text(scalar.value)
    if pa.types.is_date64(kind):
        return date_text(scalar.value // 86_400_000)
    if pa.types.is_time(kind):
        return clock_text(scalar.value * UNIT_NANOS[kind.unit])
    if pa.types.is_timestamp(kind):
        days, rest = divmod(scalar.value * UNIT_NANOS[kind.unit], 86_400 * 10**9)
        return f"{date_text(days)}T{clock_text(rest)}Z"
    if pa.types.is_duration(kind):
        return scalar.value
    if pa.types.is_map(kind):
        return [[canonical(entry["key"]), canonical(entry["value"])] for entry in scalar.values.cast(
            pa.struct([("key", kind.key_type), ("value", kind.item_type)]))] if len(scalar.values) else []
    if pa.types.is_run_end_encoded(kind):
        return canonical(pa.scalar(scalar.as_py(), kind.value_type))
    if (
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
        or pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind)
    ):
        return [canonical(value) for value in scalar.values]
    if pa.types.is_struct(kind):
        return {field.name: canonical(scalar[index]) for index, field in enumerate(kind)}
    return scalar.as_py()


def columns(table):
    """The values of each column, in order."""
    return [[canonical(value) for value in column] for column in table.columns]


def lines(path, names):
    """The columns of a JSON Lines file."""
    rows = [json.loads(line) for line in open(path, encoding="utf-8")]
    return [[row[name] for row in rows] for name in names]


def difference(expected, found, names):
    """The first place where two tables differ; None when they are equal."""
    if len(expected) != len(found):
        return f"{len(found)} columns, expected {len(expected)}"
    for name, ours, theirs in zip(names, found, expected):
        if len(ours) != len(theirs):
            return f"column {name} has {len(ours)} rows, expected {len(theirs)}"
        for row, (a, b) in enumerate(zip(ours, theirs)):
            if a != b or isinstance(a, bool) != isinstance(b, bool):
                return f"column {name}, row {row}: {a!r:.120}, expected {b!r:.120}"
    return None
