#!/usr/bin/env bash
# Makes fixtures/damaged/bool-keys: a repository as programs wrote it that read columns of bits wrongly from parts of a column, so that
# rows of a key with a bool column came out of order, twice, and under keys of other rows. `fsck` names all of it, and
# Tests/AlmanacTests/BoolKeyDamageTests.swift goes the way back from it.
# Usage: scripts/make-damaged.sh PATH-OF-SUCH-AN-ALMANAC [FOLDER]
# It was made once, by the last program that had the fault (commit 9977431); a later one makes a repository without damage.
set -euo pipefail
cd "$(dirname "$0")/.."
almanac=$(realpath "${1:?usage: scripts/make-damaged.sh PATH-OF-ALMANAC [FOLDER]}")
folder=$(realpath -m "${2:-fixtures/damaged/bool-keys}")
[ ! -e "$folder" ] || {
  echo "make-damaged: $folder is there already" >&2
  exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export ALMANAC_AUTHOR=damaged
"$almanac" init "$work/r" >/dev/null
cd "$work/r"
cat >schemas/x.yaml <<'YAML'
apiVersion: v3.1.0
kind: DataContract
schema:
- name: x
  properties:
  - {name: b, physicalType: bool, primaryKey: true, primaryKeyPosition: 1}
  - {name: i, physicalType: utf8, primaryKey: true, primaryKeyPosition: 2}
  - {name: v, physicalType: int64}
customProperties:
- {property: almanac, value: {leafRows: 16}}
YAML
"$almanac" apply >/dev/null
commit() { # MESSAGE MODE ROWS...
  local message=$1 mode=$2
  shift 2
  { echo b,i,v; printf '%s\n' "$@"; } >"$work/rows.csv"
  "$almanac" commit x="$work/rows.csv" -m "$message" --mode "$mode" >/dev/null
}
commit "one row" append true,k26,0
"$almanac" tag sound >/dev/null
commit "nine rows" append false,k05,1 false,k15,2 false,k27,3 false,k37,4 true,k00,5 true,k03,6 true,k16,7 true,k19,8 true,k36,9
commit "one row more" append true,k30,10
"$almanac" tag disorder >/dev/null
commit "a row that is there" upsert true,k36,99
"$almanac" tag twice >/dev/null
mapfile -t more < <(for n in $(seq 100 139); do echo "$([ $((n % 2)) = 0 ] && echo false || echo true),m$n,$n"; done)
commit "forty rows" append "${more[@]}"
"$almanac" tag tree >/dev/null
rm -rf .almanac/tmp .almanac/writer.lock .almanac/reflog.lock
find .almanac -type d -empty -delete
mkdir -p "$(dirname "$folder")"
# The store lies under a name that no .gitignore for repositories knows.
mv .almanac store
mv "$work/r" "$folder"
echo "Made $folder: $(find "$folder" -type f | wc -l) files, $(du -sk "$folder" | cut -f1) KiB"
