"""The same training sets by peers: python peers.py polars-latest|duckdb-latest|duckdb-windows FOLDER OUT."""

import pathlib
import sys

what, folder, out = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
TABLES = {"payments": "amount balance rate items merchant points online refund".split(),
          "sessions": "duration scroll speed pages clicks errors mobile".split(), "ratings": "score income age tenure".split()}

if what == "polars-latest":
    import polars as pl

    labels = pl.scan_parquet(folder / "labels.parquet").with_row_index("row").sort("event_timestamp")
    for name, columns in TABLES.items():
        source = pl.scan_parquet(folder / f"{name}.parquet").sort("event_timestamp", "id")
        labels = labels.join_asof(source.select(["user_id", "event_timestamp", *columns]), on="event_timestamp", by="user_id",
                                  strategy="backward", tolerance="30d")
    labels.sort("row").drop("row").collect().write_parquet(out)
else:
    import duckdb

    connection = duckdb.connect()
    connection.execute("set preserve_insertion_order = true; set timezone = 'UTC'")
    connection.execute(f"create view labels as select *, row_number() over () as row from '{folder}/labels.parquet'")
    for name in TABLES:
        connection.execute(f"create view {name} as select * from '{folder}/{name}.parquet'")
    if what == "duckdb-latest":
        query = "labels l"
        columns = ["l.row", "l.user_id", "l.event_timestamp", "l.label"]
        for name, features in TABLES.items():
            query += f" asof left join {name} on l.user_id = {name}.user_id and l.event_timestamp >= {name}.event_timestamp"
            fresh = f"l.event_timestamp - {name}.event_timestamp <= interval 30 days"
            columns += [f"case when {fresh} then {name}.{column} end as {column}" for column in features]
        connection.execute(
            f"copy (select * exclude row from (select {', '.join(columns)} from {query}) order by row) to '{out}' (format parquet)")
    else:
        frames = {"1h": "1 hour", "7d": "7 days", "30d": "30 days"}
        lines, windows = [], []
        for name, interval in frames.items():
            windows.append(f"w{name} as (partition by user_id order by t range between interval {interval} - interval 1 microsecond "
                           "preceding and current row)")
            lines += [f"count(is_event) over w{name} as count_{name}"]
            lines += [f"{agg}(amount) over w{name} as {agg}_{name}" for agg in ("sum", "avg", "max")]
        connection.execute(f"""copy (select * exclude (is_event, amount) from (
            select row, is_event, user_id, t, label, amount, {', '.join(lines)} from (
                select row, user_id, event_timestamp::timestamp t, label, null as amount, null as is_event from labels union all
                select null, user_id, event_timestamp::timestamp, null, amount, 1 from payments)
            window {', '.join(windows)}) where row is not null order by row) to '{out}' (format parquet)""")
