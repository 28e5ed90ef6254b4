"""Makes events, labels and definitions for test-windows.sh, and compares a training set with DuckDB over the same windows."""

import math
import random
import struct
import sys
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

WINDOWS = {"1h": 3_600_000_000, "1d": 86_400_000_000, "all": None}
COLUMNS = {"amount": "float64", "wide": "float64", "items": "int32", "price": "decimal(9,2)", "name": "string", "day": "date", "flag": "bool"}
NUMBERS = ["amount", "wide", "items", "price"]
AGGREGATES = {
    "sum": NUMBERS, "avg": NUMBERS, "stddev": NUMBERS, "approx_quantile": NUMBERS,
    **{name: list(COLUMNS) for name in ["count", "min", "max", "first", "last", "last_n", "approx_count_distinct"]},
}
SQL = {
    "count": "count({c})", "avg": "avg({c})", "sum": "list({c}) filter ({c} is not null)", "min": "min({c})", "max": "max({c})",
    "stddev": "stddev_samp(cast({c} as double))", "first": "first({c} order by t, id)", "last": "last({c} order by t, id)",
    "last_n": "(list({c} order by t desc, id desc) filter (id is not null))[1:3]", "approx_count_distinct": "count(distinct {c})",
    "approx_quantile": "list_sort(list(cast({c} as double)) filter ({c} is not null))",
}


def features():
    for window in WINDOWS:
        for where in ("", "flag"):
            for aggregate, columns in AGGREGATES.items():
                for column in columns:
                    yield f"{aggregate}_{column}_{window}{'_flagged' if where else ''}", aggregate, column, window, where


def make(folder, seed):
    source = random.Random(seed)
    maybe = lambda value: None if source.random() < 0.1 else value
    special = [math.nan, math.inf, -math.inf, 0.0]
    rows = []
    for number in range(3000):
        amount = source.choice(special) if source.random() < 0.002 else round(source.uniform(-500, 500), 2)
        rows.append({
            "user_id": source.randrange(20), "event_timestamp": source.randrange(400) * 900_000_000, "id": number,
            "amount": maybe(amount), "wide": maybe(source.uniform(-1, 1) * 2.0 ** source.randrange(-300, 300)),
            "items": maybe(source.randrange(-50, 50)), "price": maybe(Decimal(source.randrange(-10**8, 10**8)).scaleb(-2)),
            "name": maybe(source.choice(["", "a", "b", "é", "long name"])), "day": maybe(source.randrange(0, 40)),
            "flag": maybe(source.random() < 0.5),
        })
    schema = pa.schema([
        pa.field("user_id", pa.int64(), False), pa.field("event_timestamp", pa.timestamp("us", "UTC"), False), pa.field("id", pa.int64(), False),
        ("amount", pa.float64()), ("wide", pa.float64()), ("items", pa.int32()), ("price", pa.decimal128(9, 2)), ("name", pa.string()),
        ("day", pa.date32()), ("flag", pa.bool_()),
    ])
    pq.write_table(pa.Table.from_pylist(rows, schema), f"{folder}/events.parquet")
    # Exactly at events and at their windows' edges, and beside them.
    labels = [
        {"user_id": source.randrange(21), "event_timestamp": source.randrange(-2, 500) * 900_000_000 + source.choice([0, 0, 1, -1])}
        for _ in range(400)
    ]
    pq.write_table(pa.Table.from_pylist(labels, pa.schema(schema.field(i) for i in range(2))), f"{folder}/labels.parquet")
    kinds = {"float64": "number", "int32": "integer", "decimal(9,2)": "number", "string": "string", "date": "date", "bool": "boolean"}
    with open(f"{folder}/events.yaml", "w") as file:
        file.write("apiVersion: v3.1.0\nkind: DataContract\nid: events\nversion: 1.0.0\nstatus: active\nschema:\n- name: events\n  properties:\n")
        for place, (key, logical, physical) in enumerate([
            ("user_id", "integer", "int64"), ("event_timestamp", "timestamp", "timestamp[us,UTC]"), ("id", "integer", "int64"),
        ]):
            file.write(f"  - {{name: {key}, logicalType: {logical}, physicalType: '{physical}', required: true, primaryKey: true, primaryKeyPosition: {place + 1}}}\n")
        for name, physical in COLUMNS.items():
            physical = "utf8" if physical == "string" else physical
            file.write(f"  - {{name: {name}, logicalType: {kinds[COLUMNS[name]]}, physicalType: '{physical}'}}\n")
        file.write("customProperties:\n- {property: almanac, value: {eventTime: event_timestamp}}\n")
    with open(f"{folder}/features.yaml", "w") as file:
        file.write("entities:\n- {name: user, keys: [{name: user_id, type: int64}]}\nfeature_views:\n- name: w\n  entity: user\n  source: events\n  features:\n")
        for name, aggregate, column, window, where in features():
            extra = ", n: 3" if aggregate == "last_n" else ", q: 0.4" if aggregate == "approx_quantile" else ""
            extra += f", where: {where}" if where else ""
            file.write(f"  - {{name: {name}, agg: {aggregate}, of: {column}, window: {window}{extra}}}\n")
        file.write("feature_services:\n- {name: windows, features: ['w:*']}\n")


def bits(value):
    return struct.pack("<d", value if value == value else math.nan)


def total(values):
    if any(value != value for value in values) or {math.inf, -math.inf} <= set(values):
        return math.nan
    return next((value for value in values if math.isinf(value)), None) or math.fsum(values)


def same(found, wanted):
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(same(a, b) for a, b in zip(found, wanted))
    if isinstance(found, float) and isinstance(wanted, float):
        return found == wanted or (found != found and wanted != wanted)
    return found == wanted


def accepts(aggregate, column, found, wanted):
    if wanted is None or wanted == [] or found is None:
        return found is None and wanted in (None, [], 0) and (aggregate != "count")
    if aggregate == "sum":
        if column in ("amount", "wide"):
            return bits(found) == bits(total(wanted))
        return found == sum(wanted)
    if aggregate == "approx_count_distinct":
        return abs(found - wanted) <= 1 + 0.04 * wanted
    if aggregate == "approx_quantile":
        exact = wanted[int(0.4 * (len(wanted) - 1))]
        return same(found, exact) or abs(found - exact) <= (0.01 + 1e-12) * abs(exact)
    if aggregate in ("avg", "stddev"):
        found, wanted = float(found), float(wanted)
        return same(found, wanted) or abs(found - wanted) <= 1e-9 * abs(wanted)
    return same(found, wanted)


def check(folder):
    database = duckdb.connect()
    database.execute("set timezone = 'UTC'")
    database.execute(f"create table events as select *, epoch_us(event_timestamp) t from '{folder}/events.parquet'")
    database.execute(
        f"create table labels as select user_id u, epoch_us(event_timestamp) l, file_row_number r from read_parquet('{folder}/labels.parquet', file_row_number = true)")
    training = pq.read_table(f"{folder}/training.parquet").to_pydict()
    failures = compared = 0
    for name, aggregate, column, window, where in features():
        width = WINDOWS[window]
        inside = "user_id = u and t <= l" + (f" and t > l - {width}" if width else "") + (f" and {where}" if where else "")
        # DuckDB refuses infinities in deviations, and its averages are compared where the sum is finite.
        value = SQL[aggregate].format(c=column)
        if aggregate in ("stddev", "avg") and column == "amount":
            value = f"case when bool_and(isfinite({column})) is not false then {SQL['sum'].format(c=column)} end"
        answers = dict(database.execute(f"select r, {value} from labels left join events on {inside} group by r").fetchall())
        for row in range(len(training[name])):
            found, wanted = training[name][row], answers[row]
            if aggregate in ("stddev", "avg") and column == "amount":
                if wanted is None:
                    continue
                if aggregate == "avg":
                    wanted = math.fsum(wanted) / len(wanted) if wanted else None
                else:
                    wanted = deviation(wanted)
            compared += 1
            if not accepts(aggregate, column, found, wanted):
                failures += 1
                if failures <= 10:
                    print(f"FAILED: {name} of label row {row + 1} is {found!r}, DuckDB has {wanted!r}")
    print(f"{compared} values of {sum(1 for _ in features())} features compared with DuckDB, {failures} differ")
    sys.exit(1 if failures else 0)


def deviation(values):
    if len(values) < 2:
        return None
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


if sys.argv[1] == "make":
    make(sys.argv[2], int(sys.argv[3]))
else:
    check(sys.argv[2])
