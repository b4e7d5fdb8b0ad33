import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import * as draft from '../../src/draft/index.js'
import * as core from '../../src/index.js'
import * as react from '../../src/react/index.js'
import * as token from '../../src/token/index.js'
import { eventually, LiveServer } from '../draft/live.js'

const HOME = join(import.meta.dirname, '../..')
const text = readFileSync(join(HOME, 'README.md'), 'utf8')
const blocks = [...text.matchAll(/```(tsx?)\n(.*?)```/gs)].map(([, kind = '', code = '']) => ({ kind, code }))

/** A folder that is not looked into by other checks. */
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(HOME, 'tests/.readme-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the README', () => {
  it('has examples that compile', async () => {
    const examples = join(folder, 'examples')
    mkdirSync(examples)
    for (const [index, { kind, code }] of blocks.entries()) writeFileSync(join(examples, `${index}.${kind}`), code)
    const entry = (name: string) => [join(HOME, 'src', name, 'index.ts')]
    const paths = {
      'vivienne-client': entry(''),
      'vivienne-client/draft': entry('draft'),
      'vivienne-client/react': entry('react'),
      'vivienne-client/token': entry('token'),
    }
    const compilerOptions = { noEmit: true, jsx: 'react-jsx', types: ['node'], paths, noUnusedLocals: false }
    const config = { extends: '../../../../../tsconfig.base.json', compilerOptions, include: ['*'] }
    writeFileSync(join(examples, 'tsconfig.json'), JSON.stringify(config))
    const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
    // Asynchronous, so that the client notices when the server closes an idle connection.
    const said = new Promise((resolve) =>
      execFile(process.execPath, [tsc, '-p', examples], (error, stdout) => resolve({ error, stdout })),
    )
    expect(await said).toEqual({ error: null, stdout: '' })
    expect(blocks.length).toBeGreaterThan(4)
  })

  it('begins with an example that watches and changes', async () => {
    const server = await LiveServer.start()
    vi.stubGlobal('WebSocket', WebSocket)
    const log = vi.spyOn(console, 'log').mockImplementation(() => {})
    try {
      const code = (blocks[0]?.code ?? '').replace("'vivienne-client'", "'../../src/index.js'")
      const file = join(folder, 'start.ts')
      writeFileSync(file, `${code.replace('http://localhost:8000', server.url)}\nexport { vivienne }\n`)
      const { vivienne } = (await import(/* @vite-ignore */ file)) as { vivienne: core.VivienneClient }
      expect((await vivienne.rest.active('BTC')).config.settings.state_threshold_bang).toBe(85)
      await eventually(() =>
        expect(log.mock.calls.map(([asset]) => asset)).toEqual(expect.arrayContaining(['BTC', 'ETH', 'SOL'])),
      )
      vivienne.close()
    } finally {
      log.mockRestore()
      vi.unstubAllGlobals()
    }
  })

  it.each([
    ['vivienne-client', core],
    ['vivienne-client/draft', draft],
    ['vivienne-client/react', react],
    ['vivienne-client/token', token],
  ])('names everything that %s exports', (_, exports) => {
    // How short the shortest delay is may be read where it is.
    for (const name of Object.keys(exports))
      if (name !== 'SHORTEST_DELAY') expect(text).toMatch(new RegExp(`[\`<]${name}\\b`))
  })
})
