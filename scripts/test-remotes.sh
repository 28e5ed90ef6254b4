#!/usr/bin/env bash
# Drives clone, fetch, pull and push between repositories in folders and through servers on 127.0.0.1, as processes.
# Usage: scripts/test-remotes.sh PATH-OF-ALMANAC
set -uo pipefail
cd "$(dirname "$0")/.."
almanac=$(realpath "${1:?usage: scripts/test-remotes.sh PATH-OF-ALMANAC}")
fixtures=$PWD/fixtures
examples=$PWD/schemas/examples
work=$(mktemp -d)
servers=()
stop() {
  for server in "${servers[@]:-}"; do [ -z "$server" ] || kill "$server" 2>/dev/null; done
  rm -rf "$work"
}
trap stop EXIT
. scripts/expect.sh

in_() { local folder=$1; shift; "$almanac" --repo "$folder" "$@"; }
tip() { in_ "$1" show "${2:-HEAD}" --json | grep -o '"id":"[0-9a-f]*"'; }
root() { in_ "$1" show "${2:-HEAD}" --json | grep -o '"root":"[0-9a-f]*"' | sort | tr '\n' ' '; }
# serve FOLDER OPTION...: sets $address and $server.
serve() {
  local log=$work/serve-$RANDOM.log
  : >"$log"
  # Not through a function: its process would not be the one to be killed.
  "$almanac" --repo "$1" serve --port 0 "${@:2}" 2>"$log" >/dev/null &
  server=$!
  servers+=("$server")
  for _ in $(seq 100); do grep -q Serving "$log" && break; sleep 0.1; done
  address=$(grep -o 'http://[^ ]*' "$log")
}
# row FILE USER: a file of one transaction.
row() {
  head -1 "$fixtures/transactions.csv" >"$1"
  echo "$2,2026-04-01T00:00:00.000000Z,T9000000001,2026-04-01T00:00:01.000000Z,5.25,,1.0,1003,1,,true" >>"$1"
}
status() { curl -s -o "$work/body" -w '%{http_code}' "$@"; }

# --- the origin: three datasets, features, a branch, a tag ---
"$almanac" init "$work/origin" >/dev/null
cp "$examples"/*.yaml "$work/origin/schemas/"
cp "$fixtures"/features/*.yaml "$work/origin/features/"
expect 0 -- in_ "$work/origin" apply
expect 0 -- in_ "$work/origin" commit "transactions=$fixtures/pyarrow/transactions.parquet" -m first
between=$(date -u +%Y-%m-%dT%H:%M:%S.%6NZ)
first=$(tip "$work/origin")
sleep 0.01
expect 0 -- in_ "$work/origin" commit "user_profile=$fixtures/duckdb/user_profile.parquet" -m second
expect 0 -- in_ "$work/origin" branch trial
row "$work/trial.csv" 10
expect 0 -- in_ "$work/origin" commit "transactions=$work/trial.csv" -m trial --branch trial
expect 0 -- in_ "$work/origin" tag v1

# --- clone over HTTP: everything, the files, the past; nothing is materialized there ---
serve "$work/origin"
reader=$address
expect 0 "Cloned to" -- "$almanac" clone "$reader" "$work/a"
same "tip of the clone" "$(tip "$work/a")" "$(tip "$work/origin")"
same "roots of the clone" "$(root "$work/a")" "$(root "$work/origin")"
same "roots of the other branch" "$(root "$work/a" origin/trial)" "$(root "$work/origin" trial)"
same "the tag" "$(tip "$work/a" v1)" "$(tip "$work/origin" v1)"
same "main at a time" "$(tip "$work/a" "main@{$between}")" "$first"
same "origin/main at a time" "$(tip "$work/a" "origin/main@{$between}")" "$first"
expect 0 "Nothing to apply" -- in_ "$work/a" apply --plan
expect 0 '"unapplied":[]' -- in_ "$work/a" status --json
[ -f "$work/a/almanac.yaml" ] && [ -f "$work/a/schemas/transactions.yaml" ] && [ -f "$work/a/features/features.yaml" ] && ok || bad "files of the clone"
in_ "$work/a" checkout main transactions --out "$work/a.csv" >/dev/null 2>&1
same "rows of the clone" "$(sort "$work/a.csv" | sha256sum)" "$(sort "$fixtures/transactions.csv" | sha256sum)"
expect 0 "origin  $reader" -- in_ "$work/a" remote
expect 0 "Nothing new" -- in_ "$work/a" fetch
expect 0 '"objects":0' -- in_ "$work/a" fetch --json
expect 1 "repository already" -- "$almanac" clone "$reader" "$work/a"
mkdir "$work/full" && touch "$work/full/file"
expect 1 "not empty" -- "$almanac" clone "$reader" "$work/full"
expect 4 "Cannot reach" -- "$almanac" clone http://127.0.0.1:1 "$work/nobody"
expect 3 "not an Almanac repository" -- "$almanac" clone "$work/full" "$work/nobody"

# --- a server takes pushes only when it is told to ---
row "$work/a1.csv" 11
expect 0 -- in_ "$work/a" commit "transactions=$work/a1.csv" -m "from a"
expect 1 "--allow-push" -- in_ "$work/a" push
kill "$server" && wait "$server" 2>/dev/null

# --- clones of clones: a folder, file://; two clones push to one server, one wins ---
expect 0 -- in_ "$work/a" remote remove origin
expect 3 "Cannot find origin/main" -- in_ "$work/a" show origin/main
serve "$work/origin" --allow-push
writer=$address
expect 0 -- in_ "$work/a" remote add origin "$writer/"
expect 1 "There is a remote origin already" -- in_ "$work/a" remote add origin "$work/origin"
expect 2 "slash" -- in_ "$work/a" remote add a/b "$work/origin"
expect 2 "ALMANAC_TOKEN" -- in_ "$work/a" remote add b http://user:secret@127.0.0.1
expect 0 "Cloned to" -- "$almanac" clone "file://$work/origin" "$work/b"
expect 0 -- in_ "$work/b" remote remove origin
expect 0 -- in_ "$work/b" remote add origin "$writer"
expect 0 '"objects":5' -- in_ "$work/a" push --json
same "the branch arrived" "$(tip "$work/origin")" "$(tip "$work/a")"
expect 0 "has main already" -- in_ "$work/a" push
row "$work/b1.csv" 12
expect 0 -- in_ "$work/b" commit "transactions=$work/b1.csv" -m "from b"
before=$(tip "$work/origin")
expect 1 "almanac pull origin main" -- in_ "$work/b" push
same "a refused push changes nothing" "$(tip "$work/origin")" "$before"
expect 1 "as when it was last fetched" -- in_ "$work/b" push --force-with-lease
expect 0 -- in_ "$work/b" pull
same "a pull of diverged histories merges them" "$(tip "$work/b" origin/main)" "$before"
expect 0 -- in_ "$work/b" push origin main --force-with-lease
same "a forced push" "$(tip "$work/origin")" "$(tip "$work/b")"
expect 0 "new at" -- in_ "$work/a" fetch
expect 3 "no branch or tag" -- in_ "$work/a" push origin nowhere
expect 0 -- in_ "$work/a" branch mine
expect 0 "new at" -- in_ "$work/a" push origin mine
expect 0 -- in_ "$work/a" tag v2
expect 0 -- in_ "$work/a" push origin v2
same "a pushed tag" "$(tip "$work/origin" v2)" "$(tip "$work/a" v2)"

# --- pull: fast-forward, up to date, a branch that is new here ---
expect 0 "Cloned to" -- "$almanac" clone "$work/origin" "$work/c"
row "$work/c1.csv" 13
expect 0 -- in_ "$work/b" commit "transactions=$work/c1.csv" -m "from b again"
expect 0 -- in_ "$work/b" push
expect 0 '"outcome":"fastForward"' -- in_ "$work/c" pull --json
same "pulled" "$(tip "$work/c")" "$(tip "$work/b")"
same "pulled roots" "$(root "$work/c")" "$(root "$work/b")"
expect 0 "up to date" -- in_ "$work/c" pull
expect 0 "Made branch trial" -- in_ "$work/c" pull origin trial
expect 3 "has no branch nowhere" -- in_ "$work/c" pull origin nowhere

# --- pushes at the same moment: exactly one wins, and the other can pull ---
for name in x y; do
  "$almanac" clone "$writer" "$work/$name" >/dev/null 2>&1
  row "$work/$name.csv" "$([ $name = x ] && echo 21 || echo 22)"
  in_ "$work/$name" commit "transactions=$work/$name.csv" -m "from $name" >/dev/null
done
in_ "$work/x" push >"$work/x.out" 2>&1 &
one=$!
in_ "$work/y" push >"$work/y.out" 2>&1 &
two=$!
wait "$one"; code_one=$?
wait "$two"; code_two=$?
same "one push wins, one is refused" "$((code_one + code_two))" 1
winner=$([ $code_one = 0 ] && echo x || echo y)
same "the branch is the winner's" "$(tip "$work/origin")" "$(tip "$work/$winner")"
kill "$server" && wait "$server" 2>/dev/null

# --- the token; every error is JSON ---
export ALMANAC_TOKEN=open-sesame
serve "$work/origin" --allow-push
expect 0 "Cloned to" -- "$almanac" clone "$address" "$work/t"
row "$work/t1.csv" 31
expect 0 -- in_ "$work/t" commit "transactions=$work/t1.csv" -m "with a token"
expect 0 -- in_ "$work/t" push
expect 1 "set ALMANAC_TOKEN" -- env ALMANAC_TOKEN=wrong "$almanac" --repo "$work/t" fetch
unset ALMANAC_TOKEN
expect 1 "set ALMANAC_TOKEN" -- in_ "$work/t" fetch
same "no token" "$(status "$address/v1/refs")" 401
authorization="Authorization: Bearer open-sesame"
same "a token" "$(status -H "$authorization" "$address/v1/refs")" 200
json() { same "$1: status" "$2" "$3"; grep -q '"detail"' "$work/body" && ok || bad "$1: no JSON: $(head -c 200 "$work/body")"; }
json "wrong method" "$(status -X DELETE -H "$authorization" "$address/v1/refs")" 405
json "unknown path" "$(status -H "$authorization" "$address/v1/nothing")" 404
json "deeper path" "$(status -H "$authorization" "$address/v1/files/leaf")" 404
json "no parameters" "$(status -H "$authorization" "$address/v1/reflog")" 400
json "broken JSON" "$(status -H "$authorization" "$address/v1/commits" -d '{"wan')" 400
json "an unknown commit" "$(status -H "$authorization" "$address/v1/commits" -d "{\"excluding\":[],\"wanted\":[\"$(printf '0%.0s' {1..64})\"]}")" 404
json "no pack" "$(status -H "$authorization" "$address/v1/objects" -d 'ALMPACK')" 422
json "an unknown leaf" "$(status -H "$authorization" "$address/v1/files/leaf/$(printf '0%.0s' {1..64})")" 404
head -c 9000000 /dev/zero >"$work/big"
json "a long body" "$(status -X PUT -H "$authorization" --data-binary @"$work/big" "$address/v1/incoming/leaf/$(printf '0%.0s' {1..64})?byteCount=9000000&sha256=$(printf '0%.0s' {1..64})&offset=0")" 413
leaf=$(cd "$work/origin/.almanac/leaves" && find . -name '*.parquet' | sort | head -1)
id=$(echo "$leaf" | tr -d './' | sed 's/parquet$//')
curl -s -H "$authorization" "$address/v1/files/leaf/$id" -o "$work/leaf"
same "a whole leaf" "$(sha256sum <"$work/leaf")" "$(sha256sum <"$work/origin/.almanac/leaves/$leaf")"
curl -s -H "$authorization" -H "Range: bytes=4-99" "$address/v1/files/leaf/$id" -o "$work/leaf"
same "a range of a leaf" "$(sha256sum <"$work/leaf")" "$(tail -c +5 "$work/origin/.almanac/leaves/$leaf" | head -c 96 | sha256sum)"
json "a range behind the end" "$(status -H "$authorization" -H "Range: bytes=4-99999999999" "$address/v1/files/leaf/$id")" 416
json "features before there are any" "$(status "$address/get-online-features" -d '{"feature_service":"fraud_v1","entities":{"user_id":[1]}}')" 404

# --- a clone that is killed again and again goes on when repeated ---
for delay in 0.03 0.05 0.08 0.1 0.12 0.15 0.2 0.3; do
  # The shell's word about the killed process is not of interest.
  { ALMANAC_TOKEN=open-sesame timeout -s KILL "$delay" "$almanac" clone "$address" "$work/killed"; } >/dev/null 2>&1
done 2>/dev/null
# The last of them may have been quick enough.
env ALMANAC_TOKEN=open-sesame "$almanac" clone "$address" "$work/killed" >"$work/out" 2>"$work/err"
grep -qE "Cloned to|repository already" "$work/out" "$work/err" && ok || bad "a killed clone goes on"
expect 0 "Nothing to apply" -- in_ "$work/killed" apply --plan
[ -f "$work/killed/schemas/transactions.yaml" ] && [ -f "$work/killed/almanac.yaml" ] && ok || bad "files of the killed clone"
same "roots after being killed" "$(root "$work/killed")" "$(root "$work/origin")"
same "no part of a file is left" "$(ls "$work/killed/.almanac/incoming")" ""

# --- a server that is gone ---
kill -9 "$server"; wait "$server" 2>/dev/null
expect 4 "Cannot reach" -- env ALMANAC_TOKEN=open-sesame "$almanac" clone "$address" "$work/late"

# --- export: refuses to lose changes ---
sed -i 's/^  - {name: "amount"/  - {name: "note", physicalType: "utf8"}\n&/' "$work/t/schemas/transactions.yaml"
expect 1 "not applied" -- in_ "$work/t" apply --export
expect 0 -- in_ "$work/t" apply
expect 0 "Wrote schemas/transactions.yaml" -- in_ "$work/t" apply --export
expect 0 "Nothing to apply" -- in_ "$work/t" apply --plan
mv "$work/t/schemas/transactions.yaml" "$work/t/schemas/other.yaml"
expect 1 "declared in schemas/other.yaml" -- in_ "$work/t" apply --export
expect 2 "neither" -- in_ "$work/t" apply --export --plan

summary
