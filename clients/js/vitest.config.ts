import { defineConfig } from 'vitest/config'

// Real servers are started; a busy machine may take its time. React tests ask for happy-dom themselves, in their first line.
export default defineConfig({
  test: {
    environment: 'node',
    include: ['tests/**/*.test.{ts,tsx}'],
    globalSetup: 'tests/temporary.ts',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Files run in one process after the other, so that it loads Python and starts a server once (`tests/server.ts`).
    isolate: false,
    // They wait for servers as much as they compute.
    maxWorkers: '100%',
  },
})
