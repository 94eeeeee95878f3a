#!/usr/bin/env bash
# A headless Chromium for the tests of the report's page; does nothing where there is one.
set -euo pipefail
for name in chromium-headless-shell chromium google-chrome; do command -v "$name" >/dev/null && exit 0; done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  printf '[browser] installing chromium-headless-shell (60 MB) for the tests of the report\n'
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium-headless-shell; } >/dev/null && exit 0
fi
printf '\nno Chromium for the tests of the report: install chromium-headless-shell, chromium or google-chrome and run this again\n  (Debian, Ubuntu: sudo apt-get install chromium-headless-shell)\n' >&2
exit 1
