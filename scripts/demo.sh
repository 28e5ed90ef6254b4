#!/usr/bin/env bash
# The main job on real files, end to end: commit, check out a version, register features, pull a point-in-time training
# set, serve online; then check that what is served equals the training set's row. Leaves the repository in demo-output/.
# Usage: scripts/demo.sh PATH-OF-ALMANAC
set -euo pipefail
cd "$(dirname "$0")/.."
binary=$(realpath "${1:?usage: scripts/demo.sh PATH-OF-ALMANAC}")
fixtures=$PWD/fixtures
rm -rf demo-output
mkdir demo-output

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
almanac() {
  printf '$ almanac %s\n' "$*"
  "$binary" "$@"
}

say "1. A repository, contracts and features"
almanac init demo-output/fraud
cp schemas/examples/*.yaml demo-output/fraud/schemas/
cp fixtures/features/*.yaml demo-output/fraud/features/
cd demo-output/fraud
almanac apply

say "2. Commit three datasets, written by PyArrow, DuckDB and Polars, as one version"
almanac commit "transactions=$fixtures/pyarrow/transactions.parquet" "user_profile=$fixtures/duckdb/user_profile.parquet" \
  "merchant_stats=$fixtures/polars/merchant_stats.parquet" -m "First load"
almanac tag first-load

say "3. A correction; the version before it stays"
{ head -1 "$fixtures/transactions.csv"; tail -1 "$fixtures/transactions.csv" | awk -F, -v OFS=, '{ $5 = "42.5"; print }'; } >../correction.csv
almanac commit transactions=../correction.csv --mode upsert -m "Correct one amount"
almanac diff first-load main transactions --rows
almanac checkout first-load transactions --out ../first-load.csv
if cmp -s <(sort ../first-load.csv) <(sort "$fixtures/transactions.csv"); then
  echo "The version before the correction is exactly what was committed."
else
  echo "FAILED: the checkout of first-load differs from the rows committed" >&2
  exit 1
fi

say "4. A commit that breaks its contract is refused and changes nothing"
if almanac commit "transactions=$fixtures/bad/negative_amount.csv" -m "Bad rows"; then
  echo "FAILED: rows that break the contract were accepted" >&2
  exit 1
fi

say "5. A point-in-time training set"
almanac train fraud_v1 --labels "$fixtures/pyarrow/labels.parquet" --out ../training.parquet
printf 'user_id,merchant_id,event_timestamp\n' >../labels.csv
awk -F, 'NR > 15000 && NR % 977 == 0 { print $1 "," $8 "," $2 }' "$fixtures/transactions.csv" >>../labels.csv
almanac train fraud_v1 --labels ../labels.csv --out ../training.jsonl

say "6. The same features online"
almanac materialize
"$binary" serve --port 0 2>../serve.log &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
for _ in $(seq 100); do grep -q Serving ../serve.log && break; sleep 0.1; done
cat ../serve.log
address=$(grep -o 'http://[^ ]*' ../serve.log)

# name=value lines of an answer, in the order of feature_names.
served() {
  paste -d= <(grep -o '"feature_names":\[[^]]*\]' | sed 's/.*\[//; s/\]//' | tr ',' '\n' | tr -d '"') \
    <(grep -o '"values":\[[^]]*\]' "$1" | sed 's/"values":\[//; s/\]$//')
}
checked=0
while IFS=, read -r user merchant time; do
  [ "$user" = user_id ] && continue
  line=$(sed -n "$((checked + 1))p" ../training.jsonl)
  body="{\"feature_service\":\"fraud_v1\",\"entities\":{\"user_id\":[$user],\"merchant_id\":[$merchant]},\"at\":\"$time\"}"
  curl -sf "$address/get-online-features" -d "$body" >../answer.json
  while IFS= read -r pair; do
    name=${pair%%=*}
    value=${pair#*=}
    case "$line" in
    *"\"$name\":$value,"* | *"\"$name\":$value}"*) ;;
    *)
      echo "FAILED: served $name=$value for user $user at $time; the training set's row is $line" >&2
      exit 1
      ;;
    esac
  done < <(served ../answer.json <../answer.json)
  checked=$((checked + 1))
done <../labels.csv
[ "$checked" -gt 0 ]
printf '$ curl %s/get-online-features -d '\''%s'\''\n' "$address" "$body"
cat ../answer.json
printf '\n'
echo "Served values equal the training set's rows at the same entities and times: $checked of $checked."
kill "$server"
wait "$server" || true
trap - EXIT
say "Done. The repository is in demo-output/fraud; try: almanac --repo demo-output/fraud log"
