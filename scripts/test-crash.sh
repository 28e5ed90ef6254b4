#!/usr/bin/env bash
# Kills the `almanac` command at random moments while it commits, and lets many of them commit at once; keeps a ledger of
# what was acknowledged and checks that none of it is lost.
# Usage: scripts/test-crash.sh PATH-OF-ALMANAC [ROUNDS] [WRITERS] [COMMITS-PER-WRITER]
set -uo pipefail
cd "$(dirname "$0")/.."
almanac=$(realpath "${1:?usage: scripts/test-crash.sh PATH-OF-ALMANAC [ROUNDS] [WRITERS] [COMMITS-PER-WRITER]}")
rounds=${2:-10}
writers=${3:-4}
commits=${4:-5}
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
failed=0
fail() {
  failed=$((failed + 1))
  echo "FAILED: $1"
}

contract() { cp scripts/contracts/readings.yaml "$1/schemas/"; }
repository() {
  "$almanac" init "$1" >/dev/null && contract "$1" && "$almanac" --repo "$1" apply >/dev/null
}
# rows FILE FIRST COUNT: a CSV file of rows with keys of their own.
rows() { { echo sensor,value; seq "$2" $(($2 + $3 - 1)) | sed 's/$/,1.5/'; } >"$1"; }
clean() {
  "$almanac" --repo "$1" fsck >"$work/fsck" 2>&1 || { fail "fsck after $2"; sed 's/^/    /' "$work/fsck" | head -20; }
}

# --- kill -9 ---
seed=${CRASH_SEED:-$RANDOM}
RANDOM=$seed
echo "kill -9: $rounds rounds, seed $seed (CRASH_SEED)"
repository "$work/k"
: >"$work/ledger"
next=1
killed=0
for round in $(seq "$rounds"); do
  # The writer commits until it is killed; it notes each commit when, and only when, the command has ended well.
  (
    number=$next
    while :; do
      rows "$work/in-$number.csv" $((number * 10)) 10
      "$almanac" --repo "$work/k" commit "readings=$work/in-$number.csv" -m "commit-$number" >"$work/answer" 2>"$work/err" || exit 1
      echo "commit-$number" >>"$work/ledger"
      number=$((number + 1))
    done
  ) &
  writer=$!
  sleep "0.$(printf %03d $((RANDOM % 700)))"
  # The loop first, so that it starts no other; then whatever it was running.
  kill -STOP "$writer" 2>/dev/null
  child=$(ps -o pid= --ppid "$writer" | tr -d ' ' | head -1)
  kill -9 "$writer" 2>/dev/null
  [ -n "$child" ] && kill -9 "$child" 2>/dev/null && killed=$((killed + 1))
  wait "$writer" 2>/dev/null
  "$almanac" --repo "$work/k" log --oneline >"$work/log" 2>"$work/err" || fail "log after round $round: $(cat "$work/err")"
  sed 's/^[^ ]* //' "$work/log" | grep '^commit-' | sort >"$work/found"
  lost=$(sort "$work/ledger" | comm -23 - "$work/found")
  [ -z "$lost" ] || fail "round $round lost acknowledged commits: $lost"
  # What was not acknowledged may be there all the same; its keys must not be used again.
  next=$(($(ls "$work" | sed -n 's/^in-\([0-9]*\)\.csv$/\1/p' | sort -n | tail -1) + 1))
  rm -f "$work"/in-*.csv
  touch "$work/in-$((next - 1)).csv"
  if [ $((round % 25)) = 0 ] || [ "$round" = "$rounds" ]; then clean "$work/k" "round $round"; fi
  if [ $((round % 50)) = 0 ]; then "$almanac" --repo "$work/k" gc --yes --grace 0 >/dev/null || fail "gc after round $round"; fi
done
"$almanac" --repo "$work/k" gc --yes --grace 0 >/dev/null || fail "gc"
clean "$work/k" "gc"
[ -z "$(ls "$work/k/.almanac/tmp" "$work/k/.almanac/leases" 2>/dev/null | grep -v ':$' | grep .)" ] || fail "gc left temporary files or leases of the dead"
# Every acknowledged commit's rows are there: ten each, none of another.
"$almanac" --repo "$work/k" checkout main readings --out "$work/all.csv" --columns sensor >/dev/null || fail "checkout"
for name in $(cat "$work/ledger"); do seq $((${name#commit-} * 10)) $((${name#commit-} * 10 + 9)); done | sort >"$work/wanted"
[ -z "$(tail -n +2 "$work/all.csv" | sort | comm -13 - "$work/wanted")" ] || fail "rows of acknowledged commits are missing"
echo "  $killed killed at work, $(wc -l <"$work/ledger") commits acknowledged, $(wc -l <"$work/found") in the log"

# --- many writers ---
repository "$work/m"
for writer in $(seq "$writers"); do
  (
    for number in $(seq "$commits"); do
      first=$((writer * 1000000 + number * 10))
      rows "$work/m-$writer.csv" "$first" 10
      "$almanac" --repo "$work/m" commit "readings=$work/m-$writer.csv" -m "w$writer-$number" >/dev/null 2>"$work/err-$writer" ||
        { echo "writer $writer, commit $number: $(cat "$work/err-$writer")" >>"$work/refused"; }
    done
  ) &
done
wait
[ -e "$work/refused" ] && fail "a writer failed: $(head -3 "$work/refused")"
count=$("$almanac" --repo "$work/m" log --oneline | grep -c ' w[0-9]')
[ "$count" = $((writers * commits)) ] || fail "$count commits in the log, expected $((writers * commits))"
"$almanac" --repo "$work/m" checkout main readings --out "$work/m.csv" --columns sensor >/dev/null
for writer in $(seq "$writers"); do
  for number in $(seq "$commits"); do seq $((writer * 1000000 + number * 10)) $((writer * 1000000 + number * 10 + 9)); done
done | sort >"$work/wanted"
[ "$(tail -n +2 "$work/m.csv" | sort | sha256sum)" = "$(sha256sum <"$work/wanted")" ] || fail "rows of $writers writers differ"
clean "$work/m" "$writers writers"
echo "many writers: $writers x $commits commits, $count in the log, $(wc -l <"$work/wanted") rows"

# --- damage, and how it is put right ---
# Lost races left files that nothing names; damage of those harms nobody.
"$almanac" --repo "$work/m" gc --yes --grace 0 >/dev/null || fail "gc after $writers writers"
cp -r "$work/m" "$work/d"
leaf=$(find "$work/d/.almanac/leaves" "$work/d/.almanac/tails" -name '*.parquet' -size +0 | sort | head -1)
printf 'X' | dd of="$leaf" bs=1 seek=40 conv=notrunc status=none
"$almanac" --repo "$work/d" fsck >"$work/fsck" 2>&1
[ $? = 4 ] || fail "fsck of a damaged file did not end with 4"
grep -q "touches commit" "$work/fsck" || fail "fsck names no commit that the damage touches"
"$almanac" --repo "$work/d" fsck --repair --from "$work/m" >"$work/fsck" 2>&1 || fail "repair from another repository: $(tail -3 "$work/fsck")"
clean "$work/d" "a repair from another repository"
rm -f "$work"/d/.almanac/catalog.sqlite*
"$almanac" --repo "$work/d" fsck >/dev/null 2>&1
[ $? = 4 ] || fail "fsck without a catalog did not end with 4"
"$almanac" --repo "$work/d" fsck --repair >"$work/fsck" 2>&1 || fail "repair of a lost catalog: $(tail -3 "$work/fsck")"
[ "$("$almanac" --repo "$work/d" log --oneline | sha256sum)" = "$("$almanac" --repo "$work/m" log --oneline | sha256sum)" ] ||
  fail "the log differs after the catalog was made anew"

# --- a folder where nothing can be written, and a full disk, where this system lets us make them ---
if unshare -m true 2>/dev/null; then
  unshare -m bash -c '
    mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit 9
    "$2" --repo "$1" log --oneline >/dev/null && "$2" --repo "$1" show >/dev/null && "$2" --repo "$1" diff main~1 main >/dev/null &&
      "$2" --repo "$1" checkout main readings --out "$3/ro.csv" >/dev/null && "$2" --repo "$1" fsck >/dev/null || exit 1
    "$2" --repo "$1" branch side 2>"$3/err" && exit 2
    grep -q "nothing can be written" "$3/err" || exit 3' - "$work/m" "$almanac" "$work"
  code=$?
  case $code in
    0) echo "read-only folder: read, and refused to write" ;;
    9) echo "read-only folder: skipped, no bind mounts here" ;;
    *) fail "read-only folder: step $code: $(cat "$work/err")" ;;
  esac
  mkdir "$work/full"
  unshare -m bash -c '
    mount -t tmpfs -o size=2m tmpfs "$1" || exit 9
    "$3" init "$1/r" >/dev/null && cp "$2/m/schemas/readings.yaml" "$1/r/schemas/" && "$3" --repo "$1/r" apply >/dev/null &&
      "$3" --repo "$1/r" commit "readings=$2/m.csv" -m small --mode append >/dev/null || exit 5
    { echo sensor,value; seq 50000000 50500000 | awk "{ printf \"%d,%.17g\\n\", \$1, rand() * rand() }"; } >"$2/big.csv"
    before=$("$3" --repo "$1/r" log --oneline | sha256sum)
    for try in 1 2 3; do
      "$3" --repo "$1/r" commit "readings=$2/big.csv" -m big >/dev/null 2>"$2/err" && exit 1
      grep -q "No space left\|is full" "$2/err" || exit 2
    done
    [ "$("$3" --repo "$1/r" log --oneline | sha256sum)" = "$before" ] || exit 3
    "$3" --repo "$1/r" fsck >"$2/fsck" || exit 4' - "$work/full" "$work" "$almanac"
  code=$?
  case $code in
    0) echo "full disk: refused, nothing lost" ;;
    9) echo "full disk: skipped, no tmpfs here" ;;
    *) fail "full disk: step $code: $(cat "$work/err")" ;;
  esac
else
  echo "read-only folder, full disk: skipped, no mount namespaces here"
fi

[ "$failed" = 0 ] && echo "crash tests passed"
[ "$failed" = 0 ]
