import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'
import { expect, test } from 'vitest'

const MOST_BYTES = 8900

/** What a page downloads that uses everything of an entry, minified and compressed. */
async function size(entry: string): Promise<{ bytes: number; code: string }> {
  const built = await build({
    root: fileURLToPath(new URL('../..', import.meta.url)),
    configFile: false,
    logLevel: 'silent',
    build: { write: false, rolldownOptions: { input: entry, preserveEntrySignatures: 'strict' } },
  })
  const code = 'output' in built ? built.output[0].code : ''
  return { bytes: gzipSync(code).length, code }
}

test(`the core costs a page less than ${MOST_BYTES} bytes`, async () => {
  const { bytes, code } = await size('src/index.ts')
  expect(code).toContain('createVivienneClient')
  expect(code).not.toContain('react')
  expect(bytes).toBeLessThan(MOST_BYTES)
})
