import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { gzipSync } from 'node:zlib'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

const server = process.env.VIVIENNE_URL ?? 'http://localhost:8000'

/** Puts a packed copy beside each file that is worth it, for the server to send. */
function packed(): Plugin {
  return {
    name: 'packed',
    apply: 'build',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        for (const [name, item] of Object.entries(bundle)) {
          if (!/\.(js|css|svg|html)$/.test(name) || !name.startsWith('static/')) continue
          const plain = Buffer.from(item.type === 'chunk' ? item.code : item.source)
          const source = gzipSync(plain, { level: 9 })
          // What is very small would grow.
          if (source.length < plain.length) this.emitFile({ type: 'asset', fileName: `${name}.gz`, source })
        }
      },
    },
  }
}

/**
 * Fails the build when the page uses a component of the library without its styles: `src/app/components.css` names them
 * one by one, because all of them would be the heaviest part of the first load.
 */
function styled(): Plugin {
  const everything = readFileSync(createRequire(import.meta.url).resolve('@mantine/core/styles.css'), 'utf8')
  const styledClasses = new Set(classesIn(everything))
  return {
    name: 'styled',
    apply: 'build',
    generateBundle(_options, bundle) {
      const there = new Set<string>()
      const used = new Set<string>()
      for (const item of Object.values(bundle)) {
        if (item.type === 'chunk') for (const name of classesIn(item.code)) used.add(name)
        else if (item.fileName.endsWith('.css')) for (const name of classesIn(String(item.source))) there.add(name)
      }
      const missing = [...used].filter((name) => styledClasses.has(name) && !there.has(name))
      if (missing.length > 0) {
        this.error(`src/app/components.css lacks the styles of a component that is used: ${missing.join(', ')}`)
      }
    },
  }
}

function classesIn(text: string): string[] {
  return text.match(/\bm_[0-9a-f]{6,8}\b/g) ?? []
}

export default defineConfig({
  plugins: [react(), styled(), packed()],
  // The server puts the path in front of the addresses in the page; parts find each other by where they are.
  base: './',
  build: {
    // Into the Python package: the server serves it, the wheel contains it.
    outDir: '../src/vivienne/dashboard',
    emptyOutDir: true,
    // Not "assets": /assets/BTC is the page of an asset.
    assetsDir: 'static',
    target: 'es2022',
  },
  server: {
    port: 5173,
    strictPort: true,
    proxy: {
      '/phoenix': server,
      '/auth': server,
      '/docs': server,
      '/openapi.json': server,
      '/health': server,
      '/ready': server,
      '/ws': { target: server, ws: true },
    },
  },
})
