#!/usr/bin/env bash
# House rules that a compiler does not check. Prints every breach; exits 1 if there is one.
set -euo pipefail
cd "$(dirname "$0")/.."
status=0
breach() {
  echo "tidy: $1" >&2
  status=1
}

while IFS= read -r file; do
  lines=$(wc -l <"$file")
  [ "$lines" -le 500 ] || breach "$file has $lines lines; a file past 500 wants splitting"
done < <(git ls-files --cached --others --exclude-standard 'Sources/*.swift')

found=$(grep -rnE '^\s*print\(' Sources --include='*.swift' | grep -v '^Sources/AlmanacCLI/' || true)
[ -z "$found" ] || breach "only the command line prints:"$'\n'"$found"

found=$(grep -rnE 'fatalError\("(not implemented|TODO)|TODO|FIXME|try!| as! ' Sources --include='*.swift' || true)
[ -z "$found" ] || breach "unfinished or unchecked code:"$'\n'"$found"

found=$(grep -rnE '^import Foundation$' Sources/Columns Sources/JSON Sources/Parquet Sources/History --include='*.swift' || true)
[ -z "$found" ] || breach "these rooms do without Foundation:"$'\n'"$found"

found=$(grep -rLE '#expect|#require' Tests --include='*Tests.swift' || true)
[ -z "$found" ] || breach "test files that assert nothing:"$'\n'"$found"

exit $status
