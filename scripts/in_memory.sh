#!/usr/bin/env bash
# Runs a command whose temporary files are in memory, where there is room for them, and removes them afterwards. Tests
# make thousands of databases, and a sixth of their time would go into a disk that nobody reads.
set -euo pipefail
memory=/dev/shm name=vivienne

kilobytes() { # of free space in a folder, or in memory
  if [ -d "$1" ]; then df -k --output=avail "$1" | tail -1; else awk '/^MemAvailable:/ {print $2}' /proc/meminfo; fi
}

room=$((4 * 1024 * 1024))
if [ -z "${TMPDIR:-}" ] && [ -d "$memory" ] && [ -w "$memory" ] && [ "$(kilobytes "$memory")" -gt "$room" ] &&
  [ "$(kilobytes memory)" -gt $((2 * room)) ]; then
  for left in "$memory/$name".*; do # of one that was killed
    number=${left#"$memory/$name".}
    if [ -d "$left" ] && ! kill -0 "${number%%.*}" 2> /dev/null; then rm -rf "$left"; fi
  done
  TMPDIR=$(mktemp -d "$memory/$name.$$.XXXX")
  chmod 1777 "$TMPDIR" # as /tmp: PostgreSQL runs as another user
  export TMPDIR
  trap 'rm -rf "$TMPDIR"' EXIT
fi
"$@"
