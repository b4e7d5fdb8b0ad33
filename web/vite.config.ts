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
          const source = gzipSync(item.type === 'chunk' ? item.code : item.source, { level: 9 })
          this.emitFile({ type: 'asset', fileName: `${name}.gz`, source })
        }
      },
    },
  }
}

export default defineConfig({
  plugins: [react(), packed()],
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
      '/docs': server,
      '/openapi.json': server,
      '/health': server,
      '/ready': server,
      '/ws': { target: server, ws: true },
    },
  },
})
