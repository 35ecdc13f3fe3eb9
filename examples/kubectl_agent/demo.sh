#!/usr/bin/env bash
# usage: demo.sh BUILD_DIR [--mid-edit] [--live] [--work DIR]
#
# An agent wants to scale a deployment and needs an engineer's yes. While it
# waits, its process is killed with kill -9; another process goes on.
#
#   --mid-edit  the second process is killed as well: after the edit of the
#               file, before anybody could note that it was made
#   --live      a real model, by ANTHROPIC_API_KEY, OPENAI_API_KEY or
#               OLLAMA_MODEL; else a stand-in on loopback, no network, no key
#   --work DIR  where all files go, made afresh; else BUILD_DIR/demo
#
# The files stay to be looked at. Exits with 0 only if everything was as it has
# to be.
set -euo pipefail
export LC_ALL=C.UTF-8

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
build=${1:?"usage: demo.sh BUILD_DIR [--mid-edit] [--live] [--work DIR]"}
shift
mid_edit=no live=no work=$build/demo
while (($#)); do
  case $1 in
    --mid-edit) mid_edit=yes ;;
    --live) live=yes ;;
    --work)
      work=${2:?"--work needs a folder"}
      shift
      ;;
    *) echo "\"$1\" is no option" >&2 && exit 2 ;;
  esac
  shift
done
[[ $live == yes ]] || unset ANTHROPIC_API_KEY OPENAI_API_KEY OLLAMA_MODEL

agent=$build/examples/kubectl_agent/kubectl_agent
manifest=$work/checkout-api.yaml

bold='' dim='' green='' red='' plain=''
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
  bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
fi

heading() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
ok() { printf '%s   ok: %s%s\n' "$green" "$*" "$plain"; }
die() {
  printf '%s   NOT AS IT HAS TO BE: %s%s\n' "$red" "$*" "$plain" >&2
  exit 1
}
# check WHAT COMMAND...: the command has to succeed.
check() {
  local what=$1
  shift
  "$@" >/dev/null || die "$what"
  ok "$what"
}
is_gone() { ! kill -0 "$1" 2>/dev/null; }

victim=''
trap '[[ -z $victim ]] || kill -9 "$victim" 2>/dev/null || true' EXIT

# kill_when LINE COMMAND...: shows what the command says, and kills it with
# kill -9 once it says LINE. Leaves what it said in $said.
kill_when() {
  local line=$1 heard=no text
  shift
  exec 3< <(exec "$@" 2>&1)
  victim=$!
  said=''
  while IFS= read -r -t 120 text <&3; do
    printf '%s   %s%s\n' "$dim" "$text" "$plain"
    said+=$text$'\n'
    [[ $text != "$line"* ]] || { heard=yes && break; }
  done
  [[ $heard == yes ]] || die "it never said \"$line\""
  printf '%s   $ kill -9 %s%s\n' "$bold" "$victim" "$plain"
  kill -9 "$victim"
  wait "$victim" 2>/dev/null || true
  exec 3<&-
  check "process $victim is gone" is_gone "$victim"
  victim=''
}

[[ -x $agent ]] || die "there is no $agent; build the target kestrion_demo"
[[ ! -e $work || -e $manifest ]] \
  || die "$work is there, but no demo made it; it would be removed"
rm -rf -- "$work"
mkdir -p -- "$work"
cp -- "$here/checkout-api.yaml" "$manifest"
cp -- "$manifest" "$work/before.yaml"

heading "A deployment that an agent looks after ($manifest)"
sed -n '/^spec:/q; p' "$manifest" | sed 's/^/   /'
grep -m 1 'replicas:' "$manifest" | sed 's/^/   .../'

heading "Process one: the agent reads, thinks, and needs an engineer's yes"
kill_when "waiting until killed" "$agent" start "$work"
run=$(grep -o -m 1 'run_[0-9A-Z]\{26\}' <<<"$said" | head -n 1)

heading "What is left: the store, and a manifest that nobody touched"
"$agent" status "$work" | sed 's/^/   /'
check "the run waits in the store" \
  grep -q "^$run .* waiting_on_human" <("$agent" status "$work")
check "the manifest is as it was" cmp -s "$work/before.yaml" "$manifest"

decide=(approve "$work" "$run" --by ana --role engineer)
if [[ $mid_edit == yes ]]; then
  heading "Process two: ana agrees; it dies between the edit and its record"
  kill_when "holding" env HOLD_AFTER_EDIT=1 "$agent" "${decide[@]}"
  check "the file is edited" grep -q 'replicas: 3' "$manifest"
  decide=(resume "$work" "$run")
  heading "Process three: asks the file whether the edit was made, and goes on"
else
  heading "Process two: ana, an engineer, agrees; the agent goes on"
fi
"$agent" "${decide[@]}" | sed 's/^/   /' || die "it did not complete"

heading "What changed"
diff -u --label before --label after "$work/before.yaml" "$manifest" \
  | sed 's/^/   /' || true
check "3 replicas are asked for" grep -q '^  replicas: 3$' "$manifest"
check "two lines differ: the number, and who changed it" \
  test "$(diff "$work/before.yaml" "$manifest" | grep -c '^>')" = 2
check "the file was edited exactly once, by this run's call" \
  test "$(cut -d / -f 1 "$work/edits.log")" = "$run"

heading "The trace: what happened, when, what it cost, who decided"
"$agent" trace "$work" "$run" | sed 's/^/   /'

heading "Done"
status=$("$agent" status "$work" | awk -v run="$run" '$1 == run { print $3 }')
[[ $status == completed ]] || die "the run is $status, not completed"
printf 'run:    %s\nstatus: %s\nstore:  %s\n' "$run" "$status" "$work/runs.db"
