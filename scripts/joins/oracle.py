"""Makes rows, labels and definitions for test-joins.sh, and compares training sets with DuckDB and Polars over the same rows."""

import random
import sys
from datetime import timedelta

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

HOUR = 3_600_000_000
TIME = pa.timestamp("us", "UTC")
EVENTS = pa.schema([
    pa.field("user_id", pa.int64(), False), pa.field("region", pa.string(), False), pa.field("event_timestamp", TIME, False),
    pa.field("created", TIME, False), ("shop", pa.int32()), ("amount", pa.float64()), ("name", pa.string()),
])
KEY = ["user_id", "region", "event_timestamp", "created"]
# View: key columns of the source, ttl in hours, filter, known by creation.
VIEWS = {
    "newest": (["user_id", "region"], None, None, False),
    "fresh": (["user_id", "region"], 30, None, False),
    "by_user": (["user_id"], 30, "amount > 0", False),
    "by_shop": (["shop"], 90, None, False),
    "known": (["user_id", "region"], 200, None, True),
    "known_shop": (["shop"], None, "amount > 0", True),
}
COUNTS = {"whole": (["user_id"], False), "known_count": (["user_id"], True)}


def make(folder, seed):
    source = random.Random(seed)
    maybe = lambda value: None if source.random() < 0.1 else value
    rows = {}
    for number in range(6000):
        time = source.randrange(0, 1500) * HOUR // 2
        row = {
            "user_id": source.randrange(40), "region": source.choice(["", "a", "b", "é"]), "event_timestamp": time,
            "created": time + source.choice([0, 0, 1, source.randrange(80 * HOUR)]), "shop": maybe(source.randrange(25)),
            "amount": maybe(round(source.uniform(-50, 50), 2)), "name": maybe(f"n{number}"),
        }
        rows[tuple(row[name] for name in KEY)] = row
    # One row of each event time, by every key that a view has: ASOF and join_asof pick no one among equals.
    seen, unique = set(), []
    for row in rows.values():
        names = [(row["user_id"], row["event_timestamp"]), (row["shop"], row["event_timestamp"], "shop")]
        if not seen.intersection(names):
            seen.update(names)
            unique.append(row)
    source.shuffle(unique)
    corrected = [dict(row, amount=maybe(1.5), name="corrected") for row in source.sample(unique, 300)]
    deleted = source.sample(unique, 200)
    half = len(unique) * 3 // 4
    for number, part in enumerate([unique[:half], unique[half:], corrected, deleted]):
        pq.write_table(pa.Table.from_pylist(part, EVENTS), f"{folder}/events-{number}.parquet")
    final = {tuple(row[name] for name in KEY): row for row in unique}
    final.update({tuple(row[name] for name in KEY): row for row in corrected})
    for row in deleted:
        del final[tuple(row[name] for name in KEY)]
    pq.write_table(pa.Table.from_pylist(list(final.values()), EVENTS), f"{folder}/events.parquet")
    profiles = pa.schema([pa.field("user_id", pa.int64(), False), ("country", pa.string())])
    pq.write_table(pa.Table.from_pylist([{"user_id": user, "country": maybe(f"c{user}")} for user in range(0, 40, 2)], profiles), f"{folder}/profiles.parquet")
    labels = [
        {
            "row": row, "user_id": maybe(source.randrange(42)), "region": maybe(source.choice(["", "a", "b", "é", "z"])),
            "shop": maybe(source.randrange(27)),
            # Exactly at events, at ends of ttls and windows, and beside them.
            "event_timestamp": source.randrange(-4, 1800) * HOUR // 2 + source.choice([0, 0, 1, -1]),
        }
        for row in range(5000)
    ]
    schema = pa.schema([("row", pa.int64()), ("user_id", pa.int64()), ("region", pa.string()), ("shop", pa.int32()), ("event_timestamp", TIME)])
    pq.write_table(pa.Table.from_pylist(labels, schema), f"{folder}/labels.parquet")
    contract(folder, "events", EVENTS, KEY, "{eventTime: event_timestamp, createdTime: created, partition: month, leafRows: 1024}")
    contract(folder, "profiles", profiles, ["user_id"], "{}")
    with open(f"{folder}/features.yaml", "w") as file:
        file.write("entities:\n- {name: both, keys: [{name: user_id, type: int64}, {name: region, type: string}]}\n")
        file.write("- {name: user, keys: [{name: user_id, type: int64}]}\n- {name: place, keys: [{name: shop, type: int32}]}\nfeature_views:\n")
        entities = {("user_id", "region"): "both", ("user_id",): "user", ("shop",): "place"}
        for name, (keys, ttl, where, known) in VIEWS.items():
            file.write(f"- name: {name}\n  entity: {entities[tuple(keys)]}\n  source: events\n")
            file.write((f"  ttl: {ttl}h\n" if ttl else "") + (f"  where: {where}\n" if where else "") + ("  knowledge: created\n" if known else ""))
            file.write("  features: [{name: amount, expr: amount}, {name: name, expr: name}]\n")
        for name, (keys, known) in COUNTS.items():
            file.write(f"- name: {name}\n  entity: user\n  source: events\n" + ("  knowledge: created\n" if known else ""))
            file.write("  features: [{name: rows, agg: count, window: 60h}, {name: best, agg: max, of: amount, window: 60h}]\n")
        file.write("- {name: profile, entity: user, source: profiles, features: [{name: country, expr: country}]}\n")
        names = [*VIEWS, *COUNTS, "profile"]
        file.write("feature_services:\n- {name: joins, features: [" + ", ".join(f"'{name}:*'" for name in names) + "]}\n")


def contract(folder, name, schema, key, settings):
    kinds = {"int64": ("integer", "int64"), "int32": ("integer", "int32"), "string": ("string", "utf8"), "double": ("number", "float64")}
    with open(f"{folder}/{name}.contract.yaml", "w") as file:
        file.write(f"apiVersion: v3.1.0\nkind: DataContract\nid: {name}\nversion: 1.0.0\nstatus: active\nschema:\n- name: {name}\n  properties:\n")
        for field in schema:
            logical, physical = kinds.get(str(field.type), ("timestamp", "timestamp[us,UTC]"))
            extra = f", required: true, primaryKey: true, primaryKeyPosition: {key.index(field.name) + 1}" if field.name in key else ""
            file.write(f"  - {{name: {field.name}, logicalType: {logical}, physicalType: '{physical}'{extra}}}\n")
        file.write(f"customProperties:\n- {{property: almanac, value: {settings}}}\n")


def check(folder):
    database = duckdb.connect()
    database.execute("set timezone = 'UTC'")
    for name in ("events", "labels", "profiles"):
        database.execute(f"create table {name} as select * from '{folder}/{name}.parquet'")
    wanted = {}
    for name, (keys, ttl, where, known) in VIEWS.items():
        for column in ("amount", "name"):
            wanted[f"{name}__{column}"] = [("DuckDB", duckdb_asof(database, column, keys, ttl, where, known))]
            if not known:
                wanted[f"{name}__{column}"].append(("Polars", polars_asof(folder, column, keys, ttl, where)))
    for name, (keys, known) in COUNTS.items():
        inside = "e.user_id = l.user_id and e.event_timestamp <= l.event_timestamp and e.event_timestamp > l.event_timestamp - interval 60 hours"
        inside += " and e.created <= l.event_timestamp" if known else ""
        for column, value in (("rows", "count(e.user_id)"), ("best", "max(e.amount)")):
            answer = database.execute(f"select l.row, {value} from labels l left join events e on {inside} group by l.row").fetchall()
            wanted[f"{name}__{column}"] = [("DuckDB", dict(answer))]
    profiles = database.execute("select l.row, p.country from labels l left join profiles p using (user_id)").fetchall()
    wanted["profile__country"] = [("DuckDB", dict(profiles))]
    failures = compared = 0
    labels = pq.read_table(f"{folder}/labels.parquet")
    for number, state in enumerate(["with tails", "sealed"]):
        training = pq.read_table(f"{folder}/training-{number}.parquet")
        if training.select(labels.column_names).to_pylist() != labels.to_pylist():
            sys.exit(f"FAILED: the rows of the training set {state} are not those of the labels")
        for name, answers in wanted.items():
            found = training[name].to_pylist()
            for engine, answer in answers:
                for row, value in enumerate(found):
                    compared += 1
                    if value != answer[row]:
                        failures += 1
                        if failures <= 10:
                            print(f"FAILED: {name} of label row {row + 1}, {state}, is {value!r}, {engine} has {answer[row]!r}")
    print(f"{compared} values of {len(wanted)} features compared with DuckDB and Polars, {failures} differ")
    sys.exit(1 if failures else 0)


def duckdb_asof(database, column, keys, ttl, where, known):
    """The newest row at a label's time; known by creation through a join of all, since an as-of join has one inequality."""
    rows = f"(select * from events where {where})" if where else "events"
    same = " and ".join(f"l.{key} = e.{key}" for key in keys)
    value = f"case when e.event_timestamp >= l.event_timestamp - interval {ttl} hours then e.{column} end" if ttl else f"e.{column}"
    if not known:
        return dict(database.execute(
            f"select l.row, {value} from labels l asof left join {rows} e on {same} and l.event_timestamp >= e.event_timestamp").fetchall())
    return dict(database.execute(
        f"""select l.row, {value} from labels l left join {rows} e
            on {same} and e.event_timestamp <= l.event_timestamp and e.created <= l.event_timestamp
            qualify row_number() over (partition by l.row order by e.event_timestamp desc nulls last, e.created desc) = 1""").fetchall())


def polars_asof(folder, column, keys, ttl, where):
    events = pl.read_parquet(f"{folder}/events.parquet").drop_nulls(keys)
    if where:
        events = events.filter(pl.sql_expr(where))
    labels = pl.read_parquet(f"{folder}/labels.parquet")
    known = labels.drop_nulls(keys).sort("event_timestamp")
    joined = known.join_asof(
        events.select([*keys, "event_timestamp", column]).sort("event_timestamp"), on="event_timestamp", by=keys, strategy="backward",
        tolerance=timedelta(hours=ttl) if ttl else None, check_sortedness=False)
    answer = dict(joined.select("row", column).iter_rows())
    return {row: answer.get(row) for row in labels["row"]}


if sys.argv[1] == "make":
    make(sys.argv[2], int(sys.argv[3]))
else:
    check(sys.argv[2])
