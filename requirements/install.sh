#!/usr/bin/env bash
# Sets up .venv with the pinned environment; does nothing when it is up to date.
#   PYTHON=python3.11  which interpreter to build it from
#   TORCH_INDEX=...    the address of PyTorch's own CPU wheel index, where pip finds no CPU build of torch
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '[setup %4ss] %s\n' "$SECONDS" "$*"; }
fail() { printf '\nsetup failed: %s\n' "$*" >&2; exit 1; }

VENV=.venv
PINS=requirements/cpu.txt
STAMP="$VENV/.dragoman-installed"
WANT=$(cat "$PINS" pyproject.toml requirements/install.sh | sha256sum | cut -c1-32)
if [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$WANT" ] && [ -x "$VENV/bin/python" ]; then
  exit 0
fi

# 1. Python
PYTHON=${PYTHON:-$(command -v python3.11 || command -v python3.12 || command -v python3 || true)}
[ -n "$PYTHON" ] || fail "no Python found; install Python 3.11 (Debian: apt-get install python3.11 python3.11-venv)"
"$PYTHON" -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info[:2] < (3, 13)))' ||
  fail "$("$PYTHON" --version) at $PYTHON: Dragoman needs Python 3.11 or 3.12; set PYTHON=/path/to/python3.11"
"$PYTHON" -c 'import venv, ensurepip' 2>/dev/null ||
  fail "this Python has no venv module (Debian: apt-get install python3.11-venv)"

# 2. System packages: bubblewrap isolates untrusted code, libseccomp filters its system calls, tcmalloc halves the
#    learner's memory on a CPU, g++ is what DeepSpeed and torch compile their optional kernels with.
missing=()
command -v bwrap >/dev/null || missing+=(bubblewrap)
command -v g++ >/dev/null || missing+=(g++)
{ ldconfig -p 2>/dev/null || /sbin/ldconfig -p; } | grep 'libseccomp\.so\.2' >/dev/null || missing+=(libseccomp2)
{ ldconfig -p 2>/dev/null || /sbin/ldconfig -p; } | grep 'libtcmalloc_minimal\.so\.4' >/dev/null || missing+=(libtcmalloc-minimal4)
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing system packages: ${missing[*]}"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}"; } >/dev/null ||
      fail "apt-get could not install ${missing[*]}"
  else
    fail "system packages are missing: ${missing[*]}. Install them and run this again
  (Debian, Ubuntu: sudo apt-get install ${missing[*]})"
  fi
fi

# 3. The environment
say "creating $VENV with $("$PYTHON" --version)"
WANTED=$("$PYTHON" -c 'import sys; print(sys.version_info[:2])')
if ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1 ||
   [ "$("$VENV/bin/python" -c 'import sys; print(sys.version_info[:2])')" != "$WANTED" ]; then
  rm -rf "$VENV"  # absent, half-made or of another Python
  "$PYTHON" -m venv "$VENV"
fi
PIP=("$VENV/bin/python" -m pip --disable-pip-version-check install --quiet --no-deps --no-compile)

TORCH=$(grep '^torch==' "$PINS")
say "installing $TORCH"
"${PIP[@]}" ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} "$TORCH" 2>"$VENV/pip.log" || {
  grep -v '^WARNING: Location' "$VENV/pip.log" | tail -5 >&2
  fail "pip found no CPU build of torch ($TORCH). PyTorch publishes its CPU wheels on an index of its own:
  look up the address of the CPU wheel index on PyTorch's installation page and run
  make ${MAKE_GOAL:-setup} TORCH_INDEX=<that address>"
}
say "installing $(grep -c '==' "$PINS") pinned packages (about two minutes, 3 GB)"
DS_BUILD_OPS=0 "${PIP[@]}" -r "$PINS" 2>"$VENV/pip.log" || {
  grep -v '^WARNING: Location' "$VENV/pip.log" | tail -15 >&2
  fail "pip could not install the pinned packages; the lines above say which"
}
# openrlhf's wheel drops a top-level package called `tests` into site-packages
SITE=$("$VENV/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
rm -rf "$SITE/tests"
say "installing dragoman itself (editable)"
"${PIP[@]}" --no-build-isolation -e . 2>"$VENV/pip.log" || { tail -15 "$VENV/pip.log" >&2; fail "could not install dragoman"; }
# pip would compile 30,000 modules to bytecode on one core
say "compiling the modules on all cores"
"$VENV/bin/python" -m compileall -q -j 0 -x '/tests?/' "$SITE" >/dev/null || true  # packages carry files of other Pythons
rm -f "$VENV/pip.log"
printf '%s' "$WANT" >"$STAMP"
say "ready"
