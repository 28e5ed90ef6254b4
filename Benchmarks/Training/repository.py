"""Declares the benchmark's datasets and features in a repository: python repository.py FOLDER."""

import pathlib
import sys

folder = pathlib.Path(sys.argv[1])
TABLES = {
    "payments": (["amount", "balance", "rate"], ["items", "merchant", "points"], ["online", "refund"]),
    "sessions": (["duration", "scroll", "speed"], ["pages", "clicks", "errors"], ["mobile"]),
    "ratings": (["score", "income"], ["age", "tenure"], []),
}
WINDOWS = ("1h", "7d", "30d")


def contract(name, numbers, integers, flags):
    lines = ["apiVersion: v3.1.0", "kind: DataContract", f"id: {name}", f"name: {name}", "version: 1.0.0", "status: active",
             "schema:", f"- name: {name}", "  properties:"]
    key = [("user_id", "integer", "int64"), ("event_timestamp", "timestamp", "'timestamp[us,UTC]'"), ("id", "integer", "int64")]
    for position, (column, kind, physical) in enumerate(key, 1):
        lines.append(f"  - {{name: {column}, logicalType: {kind}, physicalType: {physical}, required: true, primaryKey: true, "
                     f"primaryKeyPosition: {position}}}")
    for columns, kind, physical in ((numbers, "number", "float64"), (integers, "integer", "int64"), (flags, "boolean", "bool")):
        lines += [f"  - {{name: {column}, logicalType: {kind}, physicalType: {physical}}}" for column in columns]
    lines += ["customProperties:",
              "- {property: almanac, value: {eventTime: event_timestamp, partition: month, evolution: backward}}"]
    return "\n".join(lines) + "\n"


(folder / "schemas").mkdir(exist_ok=True)
(folder / "features").mkdir(exist_ok=True)
features = ["entities:", "- {name: user, keys: [{name: user_id, type: int64}]}", "feature_views:"]
for name, columns in TABLES.items():
    (folder / "schemas" / f"{name}.yaml").write_text(contract(name, *columns))
    features += [f"- name: {name}_view", "  entity: user", f"  source: {name}", "  ttl: 30d", "  features:"]
    features += [f"  - {{name: {column}, expr: {column}}}" for group in columns for column in group]
features += ["- name: windows", "  entity: user", "  source: payments", "  features:"]
for window in WINDOWS:
    features.append(f"  - {{name: count_{window}, agg: count, window: {window}}}")
    features += [f"  - {{name: {agg}_{window}, agg: {agg}, of: amount, window: {window}}}" for agg in ("sum", "avg", "max")]
features += ["feature_services:", '- {name: latest, features: ["payments_view:*", "sessions_view:*", "ratings_view:*"]}',
             '- {name: windows, features: ["windows:*"]}']
(folder / "features" / "bench.yaml").write_text("\n".join(features) + "\n")
