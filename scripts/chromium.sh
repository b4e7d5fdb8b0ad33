#!/bin/sh
# Prints the path of a Chromium; installs Debian's where there is none and it can.
set -eu
if [ -n "${CHROMIUM:-}" ]; then
  echo "$CHROMIUM"
  exit
fi
find_it() {
  for name in chromium chromium-browser google-chrome-stable google-chrome; do
    command -v "$name" && return
  done
  return 1
}
find_it && exit
if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  echo "Installing Chromium for the tests of the dashboard (once)" >&2
  apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium > /dev/null
  find_it && exit
fi
echo "The tests of the dashboard need Chromium. Install it (Debian: apt-get install chromium), or name one: CHROMIUM=/path/to/chromium make test" >&2
exit 1
