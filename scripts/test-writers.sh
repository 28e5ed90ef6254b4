#!/usr/bin/env bash
# Lets many `almanac` processes append, upsert, delete, seal, merge and push at once on a dataset large enough for tails, while
# others read; checks that every read was some commit's rows, and that all acknowledged changes and no others are there.
# Usage: scripts/test-writers.sh PATH-OF-ALMANAC [WRITERS] [COMMITS-PER-WRITER]
set -uo pipefail
cd "$(dirname "$0")/.."
almanac=$(realpath "${1:?usage: scripts/test-writers.sh PATH-OF-ALMANAC [WRITERS] [COMMITS-PER-WRITER]}")
writers=${2:-8}
commits=${3:-10}
rows=300000
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fail() {
  failed=$((failed + 1))
  echo "FAILED: $1"
}
run() { "$almanac" --repo "$work/r" "$@"; }

"$almanac" init "$work/r" >/dev/null && "$almanac" init "$work/far" >/dev/null || exit 1
cp scripts/contracts/readings.yaml "$work/r/schemas/"
run apply >/dev/null || exit 1
{ echo sensor,value; seq 0 $((rows - 1)) | sed 's/$/,0.5/'; } >"$work/base.csv"
run commit "readings=$work/base.csv" -m base >/dev/null || exit 1
run branch side >/dev/null || exit 1
printf 'sensor,value\n5,77.5\n%d,78.5\n' $((rows - 1)) >"$work/side.csv"
run commit "readings=$work/side.csv" --mode upsert --branch side -m beside >/dev/null || exit 1
run remote add far "$work/far" >/dev/null || exit 1

# --- all at once; each writer has keys of its own: those that are 10 + itself modulo 100 ---
one_writer() {
  local writer=$1 number file mode first
  for number in $(seq "$commits"); do
    file="$work/w-$writer-$number"
    first=$(((number - 1) * 1000 + 10 + writer))
    case $((number % 3)) in
      0) mode=append && { echo sensor,value; for i in 1 2 3 4 5; do echo "$((rows + first + i * 100)),$writer.5"; done; } >"$file.csv" ;;
      1) mode=upsert && { echo sensor,value; for i in 1 2 3; do echo "$((first + i * 100)),$number.25"; done; } >"$file.csv" ;;
      2) mode=delete && { echo sensor,value; for i in 4 5; do echo "$((first + i * 100)),0.5"; done; } >"$file.csv" ;;
    esac
    if run commit "readings=$file.csv" --mode "$mode" -m "w$writer-$number" >/dev/null 2>"$work/err-$writer"; then
      mv "$file.csv" "$file.$mode"
    else
      echo "writer $writer, commit $number: $(cat "$work/err-$writer")" >>"$work/refused"
    fi
  done
}
jobs=()
for writer in $(seq "$writers"); do
  one_writer "$writer" &
  jobs+=($!)
done
(for _ in 1 2 3 4; do sleep 0.7 && run seal >/dev/null 2>"$work/err-seal" || echo "seal: $(cat "$work/err-seal")" >>"$work/refused"; done) &
jobs+=($!)
(sleep 0.5 && run merge side >/dev/null 2>"$work/err-merge" || echo "merge: $(cat "$work/err-merge")" >>"$work/refused") &
jobs+=($!)
(for _ in 1 2 3; do sleep 0.6 && run push far main >/dev/null 2>"$work/err-push" || echo "push: $(cat "$work/err-push")" >>"$work/refused"; done) &
jobs+=($!)
for reader in 1 2; do
  (
    while [ ! -e "$work/done" ]; do
      run checkout main readings --out "$work/read-$reader.csv" >/dev/null 2>"$work/err-read-$reader" ||
        echo "reader: $(cat "$work/err-read-$reader")" >>"$work/refused"
      sha256sum <"$work/read-$reader.csv" >>"$work/reads"
      rm -f "$work/read-$reader.csv"
    done
  ) &
done
wait "${jobs[@]}"
touch "$work/done"
wait
[ -e "$work/refused" ] && fail "$(wc -l <"$work/refused") calls failed: $(head -5 "$work/refused")"

# --- every read was some commit's rows ---
run log --oneline >"$work/log"
: >"$work/known"
for id in $(cut -d' ' -f1 "$work/log"); do
  run checkout "$id" readings --out "$work/at.csv" >/dev/null 2>&1 && sha256sum <"$work/at.csv" >>"$work/known"
  rm -f "$work/at.csv"
done
sort -u "$work/reads" | comm -23 - <(sort -u "$work/known") >"$work/mixed"
[ -s "$work/mixed" ] && fail "$(wc -l <"$work/mixed") reads are no commit's rows"

# --- all that was acknowledged, and nothing else ---
{
  grep -v '^sensor' "$work/base.csv" | sed 's/^/1,/'
  grep -v '^sensor' "$work/side.csv" | sed 's/^/2,/'
  cat "$work"/w-*.append "$work"/w-*.upsert | grep -v '^sensor' | sed 's/^/2,/'
  cat "$work"/w-*.delete | grep -v '^sensor' | sed 's/^/3,/'
} | sort -t, -k2,2n -k1,1n | awk -F, '{ if ($2 != last && seen && kind != 3) print line; last = $2; kind = $1; line = $2 "," $3; seen = 1 }
  END { if (kind != 3) print line }' >"$work/wanted"
run checkout main readings --out "$work/all.csv" >/dev/null || fail "checkout"
tail -n +2 "$work/all.csv" | cmp -s - "$work/wanted" || fail "rows differ: $(tail -n +2 "$work/all.csv" | diff - "$work/wanted" | head -4)"
count=$(grep -c ' w[0-9]*-[0-9]*$' "$work/log")
[ "$count" = $((writers * commits)) ] || fail "$count commits of writers in the log, expected $((writers * commits))"
for one in r far; do "$almanac" --repo "$work/$one" fsck >"$work/fsck" 2>&1 || fail "fsck of $one: $(tail -5 "$work/fsck")"; done

# --- the same new key by several at once: one wins, the others hear of a conflict ---
for writer in $(seq "$writers"); do
  (
    printf 'sensor,value\n99999999,%d\n' "$writer" >"$work/same-$writer.csv"
    run commit "readings=$work/same-$writer.csv" -m same >/dev/null 2>"$work/same-err-$writer"
    echo $? >>"$work/codes"
  ) &
done
wait
[ "$(sort "$work/codes" | uniq -c | tr -s ' ' | tr '\n' ';')" = " 1 0; $((writers - 1)) 1;" ] || fail "same key: exit codes $(sort "$work/codes" | uniq -c | tr -s ' ' | tr '\n' ';')"
echo "$writers writers x $commits commits: $count in the log of $(wc -l <"$work/log"), $(grep -c ' seal:' "$work/log") seals, $(wc -l <"$work/reads") reads of $(sort -u "$work/reads" | wc -l) versions"
[ "$failed" = 0 ] && echo "writers test passed"
[ "$failed" = 0 ]
