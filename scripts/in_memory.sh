#!/usr/bin/env bash
# Runs a command whose temporary files are in memory, where there is room for them, and removes them afterwards. Tests
# make thousands of databases, and a sixth of their time would go into a disk that nobody reads.
set -euo pipefail
memory=/dev/shm name=vivienne

has_room() { # 4 GB for files, and as much for processes
  [ -d "$memory" ] && [ -w "$memory" ] && [ "$(df -k --output=avail "$memory" | tail -1)" -gt 4000000 ] &&
    awk '/^MemAvailable:/ {exit $2 < 8000000}' /proc/meminfo
}

if [ -z "${TMPDIR:-}" ] && has_room; then
  for left in "$memory/$name".*; do # of one that was killed
    number=${left#"$memory/$name".}
    if [ -d "$left" ] && ! kill -0 "${number%%.*}" 2> /dev/null; then rm -rf "$left"; fi
  done
  TMPDIR=$(mktemp -d "$memory/$name.$$.XXXX") # mktemp replaces these letters
  chmod 1777 "$TMPDIR" # as /tmp: PostgreSQL runs as another user
  export TMPDIR
  trap 'rm -rf "$TMPDIR"' EXIT
fi
"$@"
