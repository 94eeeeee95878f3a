#!/usr/bin/env bash
# Sets up .venv-comet, in which unbabel-comet runs (its packages conflict with vLLM's); does nothing when it is up
# to date. Needs .venv (make setup): both must have the same Python, or Ray refuses the workers.
#   TORCH_INDEX=...    the address of PyTorch's own CPU wheel index, where pip finds no CPU build of torch
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '[comet %4ss] %s\n' "$SECONDS" "$*"; }
fail() { printf '\nsetup of the COMET environment failed: %s\n' "$*" >&2; exit 1; }

VENV=.venv-comet
PINS=requirements/comet.txt
STAMP="$VENV/.dragoman-installed"
[ -n "${PYTHON:-}" ] || [ -x .venv/bin/python ] || fail "there is no .venv; run make setup first"
PYTHON=${PYTHON:-$(.venv/bin/python -c 'import sys; print(sys._base_executable)')}
WANT=$("$PYTHON" --version; cat "$PINS" pyproject.toml requirements/comet.sh | sha256sum | cut -c1-32)
if [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$WANT" ] && [ -x "$VENV/bin/python" ]; then
  exit 0
fi
imports() { "$VENV/bin/python" -P -W ignore -c 'import comet, ray, rewards' 2>/dev/null; }
if [ -x "$VENV/bin/python" ] && [ ! -f "$STAMP" ] && imports; then
  say "keeping $VENV, which was made by hand (no $STAMP in it)"
  exit 0
fi
for package in ray torch; do
  ours=$(grep "^$package==" "$PINS"); theirs=$(grep "^$package==" requirements/cpu.txt)
  [ "$ours" = "$theirs" ] || fail "$PINS has $ours, requirements/cpu.txt has $theirs; they must be equal"
done

say "creating $VENV with $("$PYTHON" --version)"
rm -rf "$VENV"
"$PYTHON" -m venv "$VENV"
PIP=("$VENV/bin/python" -m pip --disable-pip-version-check install --quiet --no-deps)
say "installing $(grep -c '==' "$PINS") pinned packages (about a minute, 1.6 GB)"
"${PIP[@]}" ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} -r "$PINS" 2>"$VENV/pip.log" || {
  grep -v '^WARNING: Location' "$VENV/pip.log" | tail -15 >&2
  fail "pip could not install the pinned packages; the lines above say which
  (no CPU build of torch: run make comet TORCH_INDEX=<address of PyTorch's CPU wheel index>)"
}
"${PIP[@]}" --no-build-isolation -e . 2>"$VENV/pip.log" || { tail -15 "$VENV/pip.log" >&2; fail "could not install dragoman"; }
rm -f "$VENV/pip.log"
imports || fail "unbabel-comet does not import in $VENV; run: $VENV/bin/python -c 'import comet, ray, rewards'"
printf '%s' "$WANT" >"$STAMP"
say "ready"
