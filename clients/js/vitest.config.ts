import { defineConfig } from 'vitest/config'

// Real servers are started; a busy machine may take its time. React tests ask for happy-dom themselves, in their first line.
export default defineConfig({
  test: { environment: 'node', include: ['tests/**/*.test.{ts,tsx}'], testTimeout: 60_000, hookTimeout: 60_000 },
})
