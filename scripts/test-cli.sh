#!/usr/bin/env bash
# Drives the `almanac` command as a user would, on the fixtures, and checks output, messages and exit codes.
# Usage: scripts/test-cli.sh PATH-OF-ALMANAC
set -uo pipefail
cd "$(dirname "$0")/.."
almanac=$(realpath "${1:?usage: scripts/test-cli.sh PATH-OF-ALMANAC}")
fixtures=$PWD/fixtures
examples=$PWD/schemas/examples
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
. scripts/expect.sh

root() { "$almanac" --repo "$1" log --json | grep -o '"transactions":{"root":"[0-9a-f]*"' | head -1; }
tip() { "$almanac" --repo "$1" status --json | grep -o '"commit":"[0-9a-f]*"'; }
repository() {
  "$almanac" init "$1" >/dev/null && cp "$examples"/*.yaml "$1/schemas/" && cp "$fixtures"/features/*.yaml "$1/features/" &&
    "$almanac" --repo "$1" apply >/dev/null
}

# --- a repository, definitions ---
expect 0 "Made an Almanac repository" -- "$almanac" init "$work/a"
expect 1 "is an Almanac repository already" -- "$almanac" init "$work/a"
expect 0 "Nothing to apply" -- "$almanac" --repo "$work/a" apply
expect 3 "is an Almanac repository" -- env -C "$work" "$almanac" status
expect 3 -- "$almanac" log --repo "$work"
cp "$examples"/*.yaml "$work/a/schemas/"
cp "$fixtures"/features/*.yaml "$work/a/features/"
expect 1 "+ dataset transactions" -- "$almanac" --repo "$work/a" apply --plan
expect 0 -- "$almanac" --repo "$work/a" apply
expect 0 "Nothing to apply" -- "$almanac" --repo "$work/a" apply --plan
expect 0 '"branch":"main"' -- "$almanac" --repo "$work/a" status --json

# --- the same rows, the same root: another engine's file, another format, other batches, another order ---
expect 0 "rows" -- "$almanac" --repo "$work/a" commit "transactions=$fixtures/pyarrow/transactions.parquet" -m pyarrow
reference=$(root "$work/a")
for file in duckdb/transactions.parquet polars/transactions.parquet transactions.csv transactions.jsonl; do
  other=$work/other-$(echo "$file" | tr '/.' '--')
  repository "$other"
  expect 0 -- "$almanac" --repo "$other" commit "transactions=$fixtures/$file" -m "$file"
  same "root of $file" "$(root "$other")" "$reference"
done
repository "$work/batches"
head -1 "$fixtures/transactions.csv" >"$work/head"
tail -n +2 "$fixtures/transactions.csv" | shuf --random-source=<(yes) >"$work/shuffled"
split -n l/3 "$work/shuffled" "$work/part-"
for part in "$work"/part-*; do
  cat "$work/head" "$part" >"$part.csv"
  expect 0 -- "$almanac" --repo "$work/batches" commit "transactions=$part.csv" -m batch
done
same "root of three shuffled batches" "$(root "$work/batches")" "$reference"
before=$(tip "$work/a")
expect 0 "Nothing to commit" -- "$almanac" --repo "$work/a" commit "transactions=$fixtures/transactions.csv" -m again --mode upsert
same "an unchanged upsert makes no commit" "$(tip "$work/a")" "$before"

# --- checkout gives the rows back ---
expect 0 -- "$almanac" --repo "$work/a" checkout main transactions --out "$work/back.csv"
same "rows of the checkout" "$(sort "$work/back.csv" | sha256sum)" "$(sort "$fixtures/transactions.csv" | sha256sum)"
expect 0 -- "$almanac" --repo "$work/a" checkout main transactions --out "$work/back.parquet"
repository "$work/again"
expect 0 -- "$almanac" --repo "$work/again" commit transactions=- -m stdin <"$work/back.parquet"
same "root of a checkout committed again" "$(root "$work/again")" "$reference"
expect 0 -- "$almanac" --repo "$work/a" checkout main transactions --out "$work/some.csv" --columns user_id,amount --where "amount > 100 and is_online"
same "selected columns" "$(head -1 "$work/some.csv")" "user_id,amount"
expect 1 "has no column nope" -- "$almanac" --repo "$work/a" checkout main transactions --out "$work/x.csv" --columns nope
expect 3 "no dataset nope" -- "$almanac" --repo "$work/a" checkout main nope --out "$work/x.csv"
expect 3 -- "$almanac" --repo "$work/a" checkout nowhere transactions --out "$work/x.csv"

# --- several datasets in one commit, branches, tags, diff ---
expect 0 -- "$almanac" --repo "$work/a" commit "user_profile=$fixtures/duckdb/user_profile.parquet" \
  "merchant_stats=$fixtures/polars/merchant_stats.parquet" -m "two datasets"
expect 0 "two datasets" -- "$almanac" --repo "$work/a" log --oneline
expect 0 "Made tag v1" -- "$almanac" --repo "$work/a" tag v1
expect 0 "Made branch trial" -- "$almanac" --repo "$work/a" branch trial
cat "$work/head" >"$work/change.csv"
# One existing row with another amount, and one new row.
grep -m1 ',T0000007335,' "$fixtures/transactions.csv" | sed 's/,12\.01,/,99.5,/' >>"$work/change.csv"
echo '10,2026-04-01T00:00:00.000000Z,T9000000001,2026-04-01T00:00:01.000000Z,5.25,,1.0,1003,1,,true' >>"$work/change.csv"
expect 1 "Use --mode upsert" -- "$almanac" --repo "$work/a" commit "transactions=$work/change.csv" -m refused --branch trial
expect 0 -- "$almanac" --repo "$work/a" commit "transactions=$work/change.csv" -m change --branch trial --mode upsert
expect 0 '"added":1' -- "$almanac" --repo "$work/a" diff main trial transactions --json
expect 0 '"changed":1' -- "$almanac" --repo "$work/a" diff main trial transactions --json
expect 0 'amount: 12.01 -> 99.5' -- "$almanac" --repo "$work/a" diff main trial transactions --rows
expect 0 '"op":"changed"' -- "$almanac" --repo "$work/a" diff main trial transactions --rows --json
expect 0 -- "$almanac" --repo "$work/a" commit "transactions=$work/change.csv" -m remove --branch trial --mode delete
expect 0 "Nothing to commit: no row has one of the keys" -- "$almanac" --repo "$work/a" commit "transactions=$work/change.csv" -m again --branch trial --mode delete
expect 0 '"removed":1' -- "$almanac" --repo "$work/a" diff main trial transactions --json
expect 0 -- "$almanac" --repo "$work/a" commit "transactions=$fixtures/transactions.jsonl" -m restore --branch trial --mode replace
expect 0 "No differences" -- "$almanac" --repo "$work/a" diff main trial
expect 0 '"verdicts"' -- "$almanac" --repo "$work/a" show trial~1 --json
expect 0 -- "$almanac" --repo "$work/a" checkout v1 user_profile --out "$work/profile.jsonl"

# --- merge, conflicts, revert, cherry-pick, undo, blame, bisect ---
m="$work/merge"
"$almanac" init "$m" >/dev/null
cat >"$m/schemas/readings.yaml" <<'YAML'
apiVersion: v3.1.0
kind: DataContract
id: readings
version: 1.0.0
status: active
schema:
- name: readings
  properties:
  - {name: sensor, logicalType: integer, physicalType: int64, required: true, primaryKey: true, primaryKeyPosition: 1}
  - {name: value, logicalType: number, physicalType: float64, logicalTypeOptions: {minimum: 0}}
  - {name: note, logicalType: string, physicalType: utf8}
YAML
"$almanac" --repo "$m" apply >/dev/null
readings() { { echo sensor,value,note; printf '%s\n' "${@:2}"; } >"$work/$1"; }
readings base.csv 1,1,a 2,2,b 3,3,c
expect 1 "Nothing to undo on branch main" -- "$almanac" --repo "$m" undo
expect 0 -- "$almanac" --repo "$m" commit "readings=$work/base.csv" -m base
expect 0 -- "$almanac" --repo "$m" branch side
readings ours.csv 1,10,a 4,4,d
readings theirs.csv 1,1,changed 2,20,b
expect 0 -- "$almanac" --repo "$m" commit "readings=$work/theirs.csv" -m theirs --mode upsert --branch side
expect 0 '"outcome":"fast-forward"' -- "$almanac" --repo "$m" merge side --json
expect 0 "is back at" -- "$almanac" --repo "$m" undo
expect 0 -- "$almanac" --repo "$m" commit "readings=$work/ours.csv" -m ours --mode upsert
expect 0 "+0  ~2  -0" -- "$almanac" --repo "$m" merge side
expect 0 "Nothing to do" -- "$almanac" --repo "$m" merge side
expect 0 -- "$almanac" --repo "$m" checkout main readings --out "$work/merged.csv"
same "rows of the merge" "$(tr '\n' ' ' <"$work/merged.csv")" "sensor,value,note 1,10.0,changed 2,20.0,b 3,3.0,c 4,4.0,d "
expect 0 "readings: 1 added, 0 removed, 1 changed" -- "$almanac" --repo "$m" diff side main
expect 0 "value  1 changed" -- "$almanac" --repo "$m" diff side main readings --columns
expect 0 '"columns":{"value":1}' -- "$almanac" --repo "$m" diff side main readings --columns --json
expect 0 '"schema":[]' -- "$almanac" --repo "$m" diff side main readings --schema --json
expect 0 "1 more; --limit 0 shows all" -- "$almanac" --repo "$m" diff side main readings --rows --limit 1
expect 0 "written to" -- "$almanac" --repo "$m" diff side main readings --out "$work/diff.csv"
same "the file of a diff" "$(tr '\n' ' ' <"$work/diff.csv")" \
  "_op,sensor,before_value,after_value,before_note,after_note changed,1,1.0,10.0,changed,changed added,4,,4.0,,d "
readings conflict.csv 1,11,changed
expect 0 -- "$almanac" --repo "$m" commit "readings=$work/conflict.csv" -m conflict --mode upsert --branch side
expect 1 "conflict: readings (sensor=1) value: base 1.0, ours 10.0, theirs 11.0" -- "$almanac" --repo "$m" merge side
expect 1 '"kind":"update"' -- "$almanac" --repo "$m" merge side --json
expect 1 "1 conflict (1 of rows); nothing was changed" -- "$almanac" --repo "$m" cherry-pick side
expect 0 -- "$almanac" --repo "$m" merge side --strategy theirs -m settled
expect 0 "value   11.0" -- "$almanac" --repo "$m" blame readings sensor=1
expect 0 '"message":"conflict"' -- "$almanac" --repo "$m" blame readings sensor=1 --json
expect 3 "There never was a row (sensor=99)" -- "$almanac" --repo "$m" blame readings sensor=99
expect 2 "is not a key column" -- "$almanac" --repo "$m" blame readings value=1
expect 0 -- "$almanac" --repo "$m" revert main
expect 0 "value   10.0" -- "$almanac" --repo "$m" blame readings sensor=1
expect 0 "undo 1" -- "$almanac" --repo "$m" reflog
expect 0 '"reason":"merge side: fast-forward"' -- "$almanac" --repo "$m" reflog main --json
expect 3 -- "$almanac" --repo "$m" reflog nowhere
expect 3 -- "$almanac" --repo "$m" merge nowhere
for number in 1 2 3 4 5; do
  readings "step.csv" "$((100 + number)),$number,"
  "$almanac" --repo "$m" commit "readings=$work/step.csv" -m "step $number" >/dev/null
done
cat >"$work/check.sh" <<SH
"$almanac" --repo "$m" checkout "\$ALMANAC_COMMIT" readings --out "$work/bisect.csv" >/dev/null && ! grep -q '^103,' "$work/bisect.csv"
SH
expect 0 "message step 3" -- "$almanac" --repo "$m" bisect run --good main~5 --bad main sh "$work/check.sh"
expect 0 '"first_bad":"' -- "$almanac" --repo "$m" bisect run --good main~5 --bad main --json sh "$work/check.sh"
expect 1 "exited with 127" -- "$almanac" --repo "$m" bisect run --good main~5 --bad main no-such-command
expect 2 "comes before one" -- "$almanac" --repo "$m" bisect run --good main --bad main~1 true
expect 1 "Only skipped commits" -- "$almanac" --repo "$m" bisect run --good main~5 --bad main sh -c 'exit 125'
expect 0 "Test commit" -- "$almanac" --repo "$m" bisect start --good main~5 --bad main
expect 0 "is the first bad commit" -- "$almanac" --repo "$m" bisect run sh "$work/check.sh"
expect 0 -- "$almanac" --repo "$m" bisect reset

# --- bad input: a clear error, the exit code given, an unchanged repository ---
before=$(tip "$work/a")
refused() {
  local code=$1 text=$2
  shift 2
  expect "$code" "$text" -- "$almanac" --repo "$work/a" "$@"
  same "unchanged after: $*" "$(tip "$work/a")" "$before"
}
head -c 100000 "$fixtures/pyarrow/transactions.parquet" >"$work/truncated.parquet"
refused 4 truncated.parquet commit "transactions=$work/truncated.parquet" -m x
{ cat "$work/head"; echo '1,2,3'; } >"$work/ragged.csv"
refused 4 "line 2" commit "transactions=$work/ragged.csv" -m x
refused 1 amount commit "transactions=$fixtures/bad/amount_not_a_number.csv" -m x
refused 1 duplicate_key.csv commit "transactions=$fixtures/bad/duplicate_key.csv" -m x
refused 1 "column" commit "transactions=$fixtures/bad/missing_column.csv" -m x
refused 1 user_id commit "transactions=$fixtures/bad/missing_user.csv" -m x
refused 1 "minimum" commit "transactions=$fixtures/bad/negative_amount.csv" -m x
refused 1 "pattern" commit "transactions=$fixtures/bad/wrong_txn_id.csv" -m x
refused 3 "no dataset nothing" commit "nothing=$fixtures/transactions.csv" -m x
refused 3 "missing.csv" commit "transactions=$work/missing.csv" -m x
refused 2 "DATASET=FILE" commit transactions -m x
refused 2 "" commit "transactions=$fixtures/transactions.csv"
refused 3 "no feature service" train nothing --labels "$fixtures/pyarrow/labels.parquet" --out "$work/t.parquet"
printf 'event_timestamp,x\n2026-02-01T00:00:00Z,1\n' >"$work/nokey.csv"
refused 1 user_id train fraud_v1 --labels "$work/nokey.csv" --out "$work/t.parquet"

# --- a training set, and the same features online ---
expect 0 "recipe" -- "$almanac" --repo "$work/a" train fraud_v1 --labels "$fixtures/pyarrow/labels.parquet" --out "$work/t1.parquet"
expect 0 "recipe" -- "$almanac" --repo "$work/a" train fraud_v1 --labels "$fixtures/pyarrow/labels.parquet" --out "$work/t2.parquet"
same "a recipe run twice" "$(sha256sum <"$work/t1.parquet")" "$(sha256sum <"$work/t2.parquet")"
expect 0 -- "$almanac" --repo "$work/a" train fraud_v1 --labels "$fixtures/pyarrow/labels.parquet" --out "$work/t1.jsonl" --ref v1
expect 0 "of 20,000 may matter to a label" -- "$almanac" --repo "$work/a" train fraud_v1 --labels "$fixtures/pyarrow/labels.parquet" --out "$work/t3.parquet" --explain
grep -q 'leaf [0-9a-f]\{12\} .* of 11 .*all of user_id event_timestamp' "$work/out" && ok || bad "--explain names no leaf with its pages"
same "a training set that is explained" "$(sha256sum <"$work/t3.parquet")" "$(sha256sum <"$work/t1.parquet")"
expect 0 '"access":"sorted leaves"' -- "$almanac" --repo "$work/a" train fraud_v1 --labels "$fixtures/pyarrow/labels.parquet" --out "$work/t3.parquet" --explain --json
expect 0 -- "$almanac" convert "$fixtures/pyarrow/labels.parquet" "$work/labels.jsonl"
same "one row in, one row out" "$(wc -l <"$work/t1.jsonl")" "$(wc -l <"$work/labels.jsonl")"
expect 0 "Dropped 1,871 of 2,053 label rows" -- "$almanac" --repo "$work/a" train fraud_v1 --labels "$fixtures/pyarrow/labels.parquet" \
  --out "$work/complete.jsonl" --drop-missing
same "rows that are left" "$(sha256sum <"$work/complete.jsonl")" "$(grep -v ':null' "$work/t1.jsonl" | sha256sum)"
expect 0 '"dropped":{"nulls":{' -- "$almanac" --repo "$work/a" train fraud_v1 --labels "$fixtures/pyarrow/labels.parquet" \
  --out "$work/complete.jsonl" --drop-missing --json
# Two time columns of one label file, and a column named like a feature.
printf 'user_id,merchant_id,event_timestamp\n10,1003,2026-03-01T00:00:00Z\n' >"$work/nolabel.csv"
printf 'user_id,merchant_id,event_timestamp,country\n10,1003,2026-03-01T00:00:00Z,x\n' >"$work/clash.csv"
"$almanac" convert "$fixtures/pyarrow/labels.parquet" "$work/times.parquet" \
  --select "user_id, merchant_id, event_timestamp, event_timestamp - interval '30 days' as decided_at" >/dev/null 2>"$work/err" ||
  bad "labels with two times"
for column in event_timestamp decided_at; do
  expect 0 -- "$almanac" --repo "$work/a" train fraud_v1 --labels "$work/times.parquet" --out "$work/$column.csv" --time "$column"
done
same "rows of two time columns" "$(wc -l <"$work/decided_at.csv")" "$(wc -l <"$work/event_timestamp.csv")"
cmp -s "$work/decided_at.csv" "$work/event_timestamp.csv" && bad "two time columns give the same training set" || ok
same "labels of two time columns" "$(cut -d, -f1-4 "$work/decided_at.csv" | sha256sum)" "$(cut -d, -f1-4 "$work/event_timestamp.csv" | sha256sum)"
expect 1 "lack the time column decided; name it with --time" -- "$almanac" --repo "$work/a" train fraud_v1 --labels "$work/nolabel.csv" \
  --out "$work/t.csv" --time decided
expect 1 "and so does the feature of this name; use --full-names" -- "$almanac" --repo "$work/a" train fraud_v1 \
  --labels "$work/clash.csv" --out "$work/t.csv"
expect 0 "user_spend__last_amount" -- "$almanac" --repo "$work/a" train fraud_v1 --labels "$work/clash.csv" --out - --full-names
# A recipe, after the branch has moved on.
mkdir "$work/sets"
cp "$fixtures/pyarrow/labels.parquet" "$work/sets/labels.parquet"
expect 0 -- env -C "$work/sets" "$almanac" --repo ../a train fraud_v1 --labels labels.parquet --out t.parquet --save fraud_set
expect 0 "None of 1 saved training set is stale" -- "$almanac" --repo "$work/a" stale
expect 0 -- "$almanac" --repo "$work/a" commit "transactions=$work/change.csv" -m "moved on" --mode upsert
expect 1 "+1  ~1  -0" -- "$almanac" --repo "$work/a" stale
expect 1 '"stale":true' -- "$almanac" --repo "$work/a" stale --json
expect 0 "None of 1" -- "$almanac" --repo "$work/a" stale --ref main~1
mv "$work/sets" "$work/moved"
before=$(sha256sum <"$work/moved/t.parquet")
expect 0 "Made again, and identical: 2,053 rows" -- "$almanac" --repo "$work/a" train --recipe "$work/moved/t.parquet.manifest.json"
same "a recipe made again" "$(sha256sum <"$work/moved/t.parquet")" "$before"
expect 0 -- "$almanac" --repo "$work/a" train --recipe "$work/moved/t.parquet.manifest.json" --out "$work/again.jsonl" --labels "$work/labels.jsonl"
same "a recipe in other formats" "$(sha256sum <"$work/again.jsonl")" "$(sha256sum <"$work/t1.jsonl")"
head -2000 "$work/labels.jsonl" >"$work/fewer.jsonl"
expect 1 "what differs is the labels: 2000 rows with digest" -- "$almanac" --repo "$work/a" train --recipe "$work/moved/t.parquet.manifest.json" \
  --labels "$work/fewer.jsonl"
same "the output of a recipe that fails" "$(sha256sum <"$work/moved/t.parquet")" "$before"
expect 3 "is not in this repository" -- "$almanac" --repo "$work/again" train --recipe "$work/moved/t.parquet.manifest.json" --out "$work/t.csv"
expect 2 "exclude each other" -- "$almanac" --repo "$work/a" train fraud_v1 --recipe "$work/moved/t.parquet.manifest.json"
rm "$work/moved/labels.parquet"
expect 3 "its labels are not at" -- "$almanac" --repo "$work/a" train --recipe "$work/moved/t.parquet.manifest.json"
expect 0 "feature service fraud_v1, definition" -- "$almanac" --repo "$work/a" lineage fraud_set
expect 0 "train: save fraud_set" -- "$almanac" --repo "$work/a" lineage fraud_v1 --down
# Labels made of entities and times.
grid() { "$almanac" --repo "$work/a" train "$1" --entities-from transactions --from 2026-03-01 --to 2026-03-02T12:00:00Z --every "$2" "${@:3}"; }
expect 0 "recipe" -- grid fraud_v1 12h --out "$work/grid.csv"
same "every pair at four times" "$(tail -n +2 "$work/grid.csv" | wc -l)" \
  "$((4 * $(tail -n +2 "$work/back.csv" | cut -d, -f1,8 | sort -u | wc -l)))"
same "the times of one entity" "$(tail -n +2 "$work/grid.csv" | head -4 | cut -d, -f3 | cut -c6-13 | tr '\n' ' ')" "03-01T00 03-01T12 03-02T00 03-02T12 "
expect 2 "exclude each other" -- grid fraud_v1 1d --out "$work/t.csv" --labels "$work/labels.jsonl"
expect 2 "needs --entities-from" -- "$almanac" --repo "$work/a" train fraud_v1 --labels "$work/labels.jsonl" --out "$work/t.csv" --every 1d
expect 2 "expected a whole number with" -- grid fraud_v1 often --out "$work/t.csv"
expect 3 "There is no dataset nothing" -- grid fraud_v1 1d --out "$work/t.csv" --entities-from nothing
expect 1 "has no column merchant_id for label column merchant_id" -- grid fraud_v1 1d --out "$work/t.csv" --entities-from user_profile
expect 0 -- "$almanac" --repo "$work/a" undo
expect 3 "" -- "$almanac" --repo "$work/a" get fraud_v1 user_id=10 merchant_id=1003
expect 0 "Generation 1" -- "$almanac" --repo "$work/a" materialize
expect 0 '"feature_names"' -- "$almanac" --repo "$work/a" get fraud_v1 user_id=10 merchant_id=1003 --at 2026-03-01T00:00:00Z --json
expect 3 "no feature service" -- "$almanac" --repo "$work/a" get nothing user_id=10
"$almanac" --repo "$work/a" serve --port 0 2>"$work/serve.log" &
server=$!
for _ in $(seq 100); do grep -q 'Serving' "$work/serve.log" && break; sleep 0.1; done
address=$(grep -o 'http://[^ ]*' "$work/serve.log")
expect 0 '"ok"' -- curl -sf "$address/health"
expect 0 "PRESENT" -- curl -sf "$address/get-online-features" -d '{"feature_service":"fraud_v1","entities":{"user_id":[10,11],"merchant_id":[1003,1004]},"at":"2026-03-01T00:00:00Z"}'
expect 0 "almanac_requests_total" -- curl -sf "$address/metrics"
same "unknown service over HTTP" "$(curl -s -o "$work/body" -w '%{http_code}' "$address/get-online-features" -d '{"feature_service":"nope","entities":{"user_id":[1]}}' | cut -c1)" 4
same "missing keys over HTTP" "$(curl -s -o "$work/body" -w '%{http_code}' "$address/get-online-features" -d '{"feature_service":"fraud_v1","entities":{"user_id":[1]}}')" 400
same "broken JSON over HTTP" "$(curl -s -o "$work/body" -w '%{http_code}' "$address/get-online-features" -d '{"feature')" 400
same "unknown path over HTTP" "$(curl -s -o "$work/body" -w '%{http_code}' "$address/nope")" 404
expect 4 "already in use" -- "$almanac" --repo "$work/a" serve --port "${address##*:}"
kill "$server" && wait "$server"
same "the server ends cleanly" $? 0
server=

# --- columns that change, rows that only come, and where rows come from ---
contract() { # SETTINGS COLUMNS...: the contract of t in $work/e
  printf 'apiVersion: v3.1.0\nkind: DataContract\nschema:\n- name: t\n  properties:\n' >"$work/e/schemas/t.yaml"
  printf '  - {%s}\n' "${@:2}" >>"$work/e/schemas/t.yaml"
  printf 'customProperties:\n- {property: almanac, value: {%s}}\n' "$1" >>"$work/e/schemas/t.yaml"
}
"$almanac" init "$work/e" >/dev/null
key='name: k, physicalType: int64, primaryKey: true'
contract 'evolution: backward' "$key" 'name: a, physicalType: int16' 'name: b, physicalType: utf8'
expect 0 -- "$almanac" --repo "$work/e" apply
printf 'k,a,b\n1,10,x\n2,,y\n' >"$work/e.csv"
expect 0 -- "$almanac" --repo "$work/e" commit t="$work/e.csv" -m first
contract 'evolution: backward' "$key" 'name: c, physicalType: int32, customProperties: [{property: almanac, value: {previousName: a}}]' \
  'name: d, physicalType: bool'
expect 1 "+ column c: int32, renamed from a" -- "$almanac" --repo "$work/e" apply --plan
expect 1 "- column b: utf8" -- "$almanac" --repo "$work/e" apply --plan
expect 0 -- "$almanac" --repo "$work/e" apply
expect 0 -- "$almanac" --repo "$work/e" checkout main t --out "$work/e.out.csv"
same "the rows under their new columns" "$(cat "$work/e.out.csv")" $'k,c,d\n1,10,\n2,,'
expect 0 -- "$almanac" --repo "$work/e" checkout main~1 t --out "$work/e.out.csv"
same "the version before" "$(cat "$work/e.out.csv")" $'k,a,b\n1,10,x\n2,,y'
expect 0 "0 added, 0 removed, 0 changed, 4 changes of schema" -- "$almanac" --repo "$work/e" diff main~1 main
contract 'evolution: backward' "$key" 'name: c, physicalType: utf8' 'name: d, physicalType: bool'
expect 1 "column c is int32, the contract says utf8, which is not a wider type" -- "$almanac" --repo "$work/e" apply --plan
expect 1 "add a new column, fill it with --mode upsert" -- "$almanac" --repo "$work/e" apply
contract 'kind: log' 'name: what, physicalType: utf8'
sed -i 's/- name: t$/- name: events/' "$work/e/schemas/t.yaml"
expect 0 "+ dataset events" -- "$almanac" --repo "$work/e" apply
printf 'what\nstart\nstart\n' >"$work/events.csv"
expect 0 "+2" -- "$almanac" --repo "$work/e" commit events="$work/events.csv" -m one
expect 0 "4 rows" -- "$almanac" --repo "$work/e" commit events="$work/events.csv" -m two --input t@main --input "$work/e.csv" \
  --producer collect.py --parameter host=a
for mode in upsert delete replace; do
  expect 1 "to which rows are only appended" -- "$almanac" --repo "$work/e" commit events="$work/events.csv" -m no --mode $mode
done
"$almanac" --repo "$work/e" checkout main events --out "$work/e.out.csv" >/dev/null
same "the columns of a log" "$(head -1 "$work/e.out.csv")" what
"$almanac" --repo "$work/e" checkout main events --out "$work/e.out.csv" --columns what,_almanac_ordinal >/dev/null
same "its hidden columns when asked for" "$(sort -u "$work/e.out.csv")" $'start,0\nstart,1\nwhat,_almanac_ordinal'
expect 0 "made by collect.py" -- "$almanac" --repo "$work/e" show
expect 0 "host = a" -- "$almanac" --repo "$work/e" show
expect 0 '"source":"t"' -- "$almanac" --repo "$work/e" show --json
expect 0 "<- dataset t@" -- "$almanac" --repo "$work/e" lineage events
expect 0 '"direction":"up"' -- "$almanac" --repo "$work/e" lineage events --json --depth 1
expect 0 "collect.py  two" -- "$almanac" --repo "$work/e" lineage t --down
expect 0 '"eventType":"COMPLETE"' -- "$almanac" --repo "$work/e" lineage main --format openlineage
expect 0 "Nothing names events" -- "$almanac" --repo "$work/e" lineage events --down
expect 3 "it is no dataset of the current branch" -- "$almanac" --repo "$work/e" lineage nothing
expect 2 "--depth must be 1 or more" -- "$almanac" --repo "$work/e" lineage events --depth 0
expect 2 "expected NAME=VALUE" -- "$almanac" --repo "$work/e" commit events="$work/events.csv" -m no --parameter host
expect 3 "Cannot record input nowhere" -- "$almanac" --repo "$work/e" commit events="$work/events.csv" -m no --input nowhere

# --- convert ---
for from in csv jsonl parquet arrow arrows; do
  for to in csv jsonl parquet arrow arrows; do
    expect 0 -- "$almanac" convert "$work/back.csv" "$work/c1.$from"
    expect 0 -- "$almanac" convert "$work/c1.$from" "$work/c2.$to"
    expect 0 -- "$almanac" convert "$work/c2.$to" "$work/c3.csv"
    same "csv through $from and $to" "$(sha256sum <"$work/c3.csv")" "$(sha256sum <"$work/back.csv")"
  done
done
expect 2 "" -- "$almanac" convert "$work/back.csv" "$work/out.unknown"
expect 0 "amount,txn_id" -- "$almanac" convert "$fixtures/bad/negative_amount.csv" - --columns amount,txn_id
expect 1 "There is no column nothing" -- "$almanac" convert "$work/back.csv" "$work/out.csv" --columns nothing
expect 0 -- "$almanac" convert "$work/back.csv" "$work/out.arrow" --codec zstd
expect 2 "expected none, lz4 or zstd" -- "$almanac" convert "$work/back.csv" "$work/out.arrow" --codec snappy
for codec in none snappy gzip brotli lz4 zstd; do
  expect 0 -- "$almanac" convert "$work/back.csv" "$work/coded.parquet" --codec "$codec"
  expect 0 -- "$almanac" convert "$work/coded.parquet" "$work/coded.csv"
  same "csv through Parquet with $codec" "$(sha256sum <"$work/coded.csv")" "$(sha256sum <"$work/back.csv")"
done
expect 0 -- "$almanac" convert "$work/back.csv" "$work/filtered.parquet" --bloom-filter txn_id,user_id
same "columns with a Bloom filter" "$("$almanac" inspect "$work/filtered.parquet" | grep -c "+bloom")" 2
expect 2 "only Parquet files have them" -- "$almanac" convert "$work/back.csv" "$work/out.arrow" --bloom-filter txn_id
expect 1 "Cannot write a Bloom filter of nothing" -- "$almanac" convert "$work/back.csv" "$work/out.parquet" --bloom-filter nothing
# Standard input is recognised, and another repository takes Arrow as it takes Parquet: the same rows, the same root.
"$almanac" convert "$fixtures/pyarrow/transactions.parquet" "$work/transactions.arrows" >/dev/null
"$almanac" convert - "$work/piped.jsonl" <"$work/transactions.arrows" >"$work/out" 2>"$work/err" && ok || bad "convert from standard input"
same "rows from standard input" "$(wc -l <"$work/piped.jsonl")" 20000
repository "$work/arrow"
expect 0 -- "$almanac" --repo "$work/arrow" commit "transactions=$work/transactions.arrows" -m arrow
same "the root of an Arrow file" "$(root "$work/arrow")" "$reference"
printf 'a;b\n1;NA\n2;x\n' >"$work/semi.csv"
expect 0 '{"a":1,"b":null}' -- "$almanac" convert "$work/semi.csv" - --format jsonl --null NA
expect 0 '{"a":1.0,"b":"NA"}' -- "$almanac" convert "$work/semi.csv" - --format jsonl --type a=float64
expect 0 '{"column_1":"a","column_2":"b"}' -- "$almanac" convert "$work/semi.csv" - --format jsonl --no-header
expect 2 "expected COLUMN=TYPE" -- "$almanac" convert "$work/semi.csv" - --type a=number
expect 1 "There is no column c" -- "$almanac" convert "$work/semi.csv" - --type c=int64
expect 2 "has its own" -- "$almanac" convert "$work/coded.parquet" "$work/x.csv" --type user_id=int32
expect 2 "not CSV" -- "$almanac" convert "$work/coded.parquet" "$work/x.csv" --delimiter ';'
expect 0 "1;NA" -- "$almanac" convert "$work/semi.csv" - --output-delimiter ';'
expect 2 "only CSV files have one" -- "$almanac" convert "$work/semi.csv" "$work/x.parquet" --output-delimiter ';'
# What is no file stays what it is and gets the bytes.
mkfifo "$work/pipe"
cat "$work/pipe" >"$work/piped.csv" &
expect 0 -- "$almanac" convert "$work/semi.csv" "$work/pipe" --format csv
wait $!
same "bytes through a pipe" "$(cat "$work/piped.csv")" "$(printf 'a,b\n1,NA\n2,x')"
[ -p "$work/pipe" ] && ok || bad "the pipe is no pipe any more"
expect 1 "line 2, column 2 (b)" -- "$almanac" convert "$work/semi.csv" - --type b=int64
printf 'a,b\n1\n' >"$work/ragged.csv"
expect 4 "line 2" -- "$almanac" convert "$work/ragged.csv" "$work/out.parquet"
head -c 5000 "$fixtures/pyarrow/transactions.parquet" >"$work/cut.parquet"
expect 4 "it is truncated or no Parquet file" -- "$almanac" convert "$work/cut.parquet" "$work/never.csv"
[ -e "$work/never.csv" ] && bad "a failed conversion left its output" || ok
head -c 5000 "$work/transactions.arrows" >"$work/cut.arrows"
expect 4 "Cannot read" -- "$almanac" convert "$work/cut.arrows" "$work/never.csv"
expect 3 -- "$almanac" convert "$work/absent.parquet" "$work/never.csv"

# Nor is the input written over, by whatever name.
cp "$work/semi.csv" "$work/own.csv" && ln "$work/own.csv" "$work/hard.csv" && ln -s own.csv "$work/soft.csv"
for name in own hard soft; do
  expect 2 "it is the input" -- "$almanac" convert "$work/own.csv" "$work/$name.csv"
done
expect 2 "it is the input" -- bash -c '"$1" convert "$2" - --format csv >>"$2"' - "$almanac" "$work/own.csv"
same "the input" "$(cat "$work/own.csv")" "$(cat "$work/semi.csv")"
expect 0 -- "$almanac" convert "$work/semi.csv" /dev/null --format csv
expect 0 "a,b" -- "$almanac" convert "$work/semi.csv" /dev/stdout --format csv

# What a killed command was writing goes with the next output to that folder; files that change while they are read are refused.
mkdir "$work/folder"
{ head -1 "$work/back.csv"; for _ in $(seq 20); do tail -n +2 "$work/back.csv"; done; } >"$work/long.csv"
unfinished() { find "$work/folder" -name '.almanac-*.partial' | wc -l; }
"$almanac" convert "$work/long.csv" "$work/folder/out.jsonl" >/dev/null 2>&1 &
child=$!
for _ in $(seq 500); do [ "$(unfinished)" = 0 ] && kill -0 "$child" 2>/dev/null && sleep 0.01 || break; done
kill -9 "$child" 2>/dev/null
wait "$child" 2>/dev/null
same "files of the killed command" "$(unfinished)" 1
expect 0 -- "$almanac" convert "$work/semi.csv" "$work/folder/other.csv"
same "files in the folder" "$(ls -A "$work/folder")" other.csv
"$almanac" convert "$work/long.csv" "$work/folder/out.jsonl" >"$work/out" 2>"$work/err" &
child=$!
for _ in $(seq 500); do [ "$(unfinished)" = 0 ] && kill -0 "$child" 2>/dev/null && sleep 0.01 || break; done
truncate -s 100 "$work/long.csv"
wait "$child"
same "exit code of a shortened input" "$?" 4
grep -q "it was shortened from [0-9]* to 100 bytes while it was read" "$work/err" && ok || bad "what a shortened input is refused with"
same "files in the folder" "$(ls -A "$work/folder")" other.csv

# --- a first line with several delimiters ---
printf 'Betrag (EUR, brutto);Datum;x\n1,5;2;3\n' >"$work/betrag.csv"
expect 0 '{"Betrag (EUR, brutto)":"1,5","Datum":2,"x":3}' -- "$almanac" convert "$work/betrag.csv" - --format jsonl
printf 'lat;lon,name\n1;2,x\n' >"$work/two.csv"
expect 4 'a comma, which makes 2 columns ("lat;lon", "name") or a semicolon, which makes 2 columns ("lat", "lon,name")' \
  -- "$almanac" convert "$work/two.csv" - --format jsonl
grep -qF -- "--delimiter ';'" "$work/err" && ok || bad "no hint at --delimiter"
expect 0 '{"lat":1,"lon,name":"2,x"}' -- "$almanac" convert "$work/two.csv" - --format jsonl --delimiter ';'

# --- nested columns, as text and back ---
printf '{"id":1,"tags":["a",null],"who":{"name":"x","age":3}}\n{"id":2,"tags":null,"who":null}\n' >"$work/nested.jsonl"
for to in parquet arrow arrows; do
  expect 0 -- "$almanac" convert "$work/nested.jsonl" "$work/nested.$to"
  expect 0 -- "$almanac" convert "$work/nested.$to" "$work/nested-back.jsonl"
  same "nested columns through $to" "$(sha256sum <"$work/nested-back.jsonl")" "$(sha256sum <"$work/nested.jsonl")"
done

# --- inspect ---
expect 0 "row group 0: 6,000 rows" -- "$almanac" inspect "$fixtures/pyarrow/transactions.parquet"
expect 0 '"created_by":"parquet-cpp-arrow' -- "$almanac" inspect "$fixtures/pyarrow/transactions.parquet" --json
expect 0 '"max":"T0000020000"' -- "$almanac" inspect "$work/filtered.parquet" --pages --json
expect 0 "pages of user_id" -- "$almanac" inspect "$fixtures/pyarrow/transactions.parquet" --pages
expect 0 "list<utf8>" -- "$almanac" inspect "$work/nested.arrow"
expect 0 '"delimiter":";"' -- "$almanac" inspect "$work/semi.csv" --json
expect 0 "20,000 rows of 11 columns" -- "$almanac" inspect "$work/transactions.arrows"
expect 4 "it is truncated or no Parquet file" -- "$almanac" inspect "$work/cut.parquet"
expect 3 -- "$almanac" inspect "$work/absent.parquet"

summary
