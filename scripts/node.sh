#!/bin/sh
# Says what is missing, and exits with 1, unless there is a Node.js that can build the dashboard.
if ! command -v node > /dev/null || ! command -v npm > /dev/null; then
  echo "Building the dashboard needs Node.js 20.19 or later with npm, and there is none on the PATH." >&2
  exit 1
fi
node -e '
const [major, minor] = process.versions.node.split(".").map(Number)
if (major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19)) process.exit(0)
console.error(`Building the dashboard needs Node.js 20.19 or later (or 22.12 or later), this is ${process.versions.node}.`)
process.exit(1)
'
