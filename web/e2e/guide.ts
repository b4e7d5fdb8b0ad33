import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import react from '@vitejs/plugin-react'
import { build, type InlineConfig, preview } from 'vite'

const SHARED = process.env.VIVIENNE_TEST_DATA ?? resolve(import.meta.dirname, '../../../shared')
export const GUIDE = join(SHARED, 'spec/vivienne_websocket_configuration_guide.md')

/** Whether the guide is on this machine. */
export const guideIsHere = existsSync(GUIDE)

/** The code under each heading of the guide, in the order it stands there. */
export function guideCode(): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  let heading = ''
  for (const [, title, code] of readFileSync(GUIDE, 'utf8').matchAll(/^#+ (.+)$|^```javascript\n([\s\S]*?)^```$/gm)) {
    if (title !== undefined) heading = title
    else found.set(heading, (found.get(heading) ?? '') + code)
  }
  return found
}

/** The code under a heading, speaking to a server at another port. */
export function guideExample(heading: string, port: number): string {
  const code = guideCode().get(heading)
  if (code === undefined) throw new Error(`The guide has no code under "${heading}"`)
  return code.replaceAll('localhost:8000', `localhost:${port}`)
}

/** A page on this machine, served from an origin of its own; REST goes through a proxy, as with a development server. */
export interface ServedPage {
  readonly url: string
  close(): Promise<void>
}

const require = createRequire(import.meta.url)

/**
 * Bundles and serves some files of which `main.jsx` is the first, at http://localhost:5173 (or the next free port).
 *
 * @param server - where `/phoenix` leads to
 */
export async function servePage(files: Readonly<Record<string, string>>, server: string): Promise<ServedPage> {
  const root = mkdtempSync(join(tmpdir(), 'vivienne-guide-'))
  const page = `<!doctype html><title>Guide</title><link rel="icon" href="data:,"><div id="root"></div>
    <script type="module" src="/main.jsx"></script>`
  for (const [name, content] of Object.entries({ 'index.html': page, ...files }))
    writeFileSync(join(root, name), content)
  const common: InlineConfig = {
    root,
    configFile: false,
    logLevel: 'error',
    build: { minify: false },
    plugins: [react()],
    resolve: {
      alias: {
        lodash: join(root, 'lodash.js'),
        react: dirname(require.resolve('react/package.json')),
        'react-dom': dirname(require.resolve('react-dom/package.json')),
      },
    },
  }
  await build(common)
  const serving = await preview({
    ...common,
    preview: { host: 'localhost', port: 5173, strictPort: false, proxy: { '/phoenix': server } },
  })
  return {
    url: new URL(serving.resolvedUrls?.local[0] ?? 'http://localhost:5173').origin,
    async close() {
      await serving.close()
      rmSync(root, { recursive: true, force: true })
    },
  }
}
