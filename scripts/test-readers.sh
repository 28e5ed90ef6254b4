#!/usr/bin/env bash
# Lets other engines read what Almanac stores: commits the fixtures, then PyArrow, DuckDB and Polars read every leaf file in
# place and must agree with each other and with the rows committed; PyArrow also computes the ids of all leaves, by the text of
# docs/format/leaf.md. Says "skipped" where there is no Python with them.
# Usage: scripts/test-readers.sh PATH-OF-ALMANAC
set -euo pipefail
cd "$(dirname "$0")/.."
almanac=$(realpath "${1:?usage: scripts/test-readers.sh PATH-OF-ALMANAC}")
if ! python=$(scripts/python.sh 2>/dev/null) || ! "$python" -c 'import pyarrow, duckdb, polars' >/dev/null 2>&1; then
  echo "skipped: no Python with PyArrow, DuckDB and Polars (set ALMANAC_PYTHON to one)"
  exit 0
fi
fixtures=$PWD/fixtures
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
datasets=(
  "transactions=$fixtures/pyarrow/transactions.parquet" "user_profile=$fixtures/duckdb/user_profile.parquet"
  "merchant_stats=$fixtures/polars/merchant_stats.parquet"
)
"$almanac" init "$work/repository" >/dev/null
cp schemas/examples/*.yaml "$work/repository/schemas/"
"$almanac" --repo "$work/repository" apply >/dev/null
"$almanac" --repo "$work/repository" commit "${datasets[@]}" -m "fixtures" >/dev/null
"$python" scripts/read_leaves.py "$work/repository" "${datasets[@]}"
"$python" scripts/leaf_ids.py "$work/repository"

# A dataset of every type class that leaf.md knows, with nulls and with values that are made canonical.
"$almanac" init "$work/types" >/dev/null
cat >"$work/types/schemas/every_type.yaml" <<'END'
apiVersion: v3.1.0
kind: DataContract
id: every_type
version: 1.0.0
status: active
schema:
- name: every_type
  properties:
  - {name: id, logicalType: integer, physicalType: int32, required: true, primaryKey: true, primaryKeyPosition: 1}
  - {name: tiny, logicalType: integer, physicalType: int8}
  - {name: word, logicalType: integer, physicalType: int16}
  - {name: single, logicalType: number, physicalType: float32}
  - {name: double, logicalType: number, physicalType: float64}
  - {name: flag, logicalType: boolean, physicalType: bool}
  - {name: text, logicalType: string, physicalType: utf8}
  - {name: bytes, logicalType: string, physicalType: binary}
  - {name: day, logicalType: date, physicalType: date}
  - {name: at, logicalType: timestamp, physicalType: 'timestamp[us,UTC]'}
  - {name: price, logicalType: number, physicalType: 'decimal(9,2)'}
  - {name: wide, logicalType: number, physicalType: 'decimal(38,10)'}
  - {name: nothing, logicalType: string, physicalType: utf8}
END
cat >"$work/every_type.csv" <<'END'
id,tiny,word,single,double,flag,text,bytes,day,at,price,wide,nothing
1,-128,-32768,-0.0,NaN,true,naïve,/wA=,1969-12-31,1677-01-01T00:00:00.000001Z,-0.01,-9999999999999999999999999999.9999999999,
2,,32767,NaN,-0.0,,"",,,,,,
3,127,,0.1,-Infinity,false,,"",9999-12-31,9999-12-31T23:59:59.999999Z,9999999.99,0.0000000001,
END
"$almanac" --repo "$work/types" apply >/dev/null
"$almanac" --repo "$work/types" commit "every_type=$work/every_type.csv" -m "every type" >/dev/null
"$python" scripts/leaf_ids.py "$work/types"
