import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Gives a run a folder for its temporary files, and removes it: a process of tests may be ended before it can do so. */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'vivienne-client-run-'))
  process.env.TMPDIR = folder
  return () => rmSync(folder, { recursive: true, force: true })
}
