# Checks of a command, for the scripts that drive it: source it with $work, a folder of the script's own, set.
# Counts in $passed and $failed; `summary` prints them and is the script's result.
passed=0
failed=0

ok() { passed=$((passed + 1)); }
bad() {
  failed=$((failed + 1))
  echo "FAILED: $1"
  [ -s "$work/out" ] && sed 's/^/    stdout: /' "$work/out" | head -12
  [ -s "$work/err" ] && sed 's/^/    stderr: /' "$work/err" | head -12
}
# expect CODE [TEXT-IN-OUTPUT] -- COMMAND...: runs it, checks the exit code and that the text stands in what it printed.
expect() {
  local code=$1 text=
  shift
  if [ "$1" != -- ]; then text=$1; shift; fi
  shift
  "$@" >"$work/out" 2>"$work/err"
  local got=$?
  if [ "$got" != "$code" ]; then bad "exit $got, expected $code: $*"; return 1; fi
  if [ -n "$text" ] && ! grep -qF -- "$text" "$work/out" "$work/err"; then bad "no '$text' in the output of: $*"; return 1; fi
  ok
}
# same WHAT FOUND WANTED
same() { if [ "$2" = "$3" ]; then ok; else bad "$1: '$2' is not '$3'"; fi; }
summary() {
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
}
