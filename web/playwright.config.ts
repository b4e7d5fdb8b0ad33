import { execFileSync } from 'node:child_process'
import { defineConfig } from '@playwright/test'

// Found once; the workers inherit it.
process.env.CHROMIUM ??= execFileSync('sh', ['../scripts/program.sh', 'chromium'], {
  cwd: import.meta.dirname,
  encoding: 'utf8',
})
  .trim()
  .split('\n')
  .at(-1)

/** The dashboard as a person uses it: a real Chromium against a real `vivienne serve`. */
export default defineConfig({
  testDir: 'e2e',
  // Not `*.test.ts`: those are the unit tests.
  testMatch: '*.e2e.ts',
  outputDir: 'test-results',
  reporter: 'line',
  // A file is tested by one worker, so that fewer servers are started; `signin` is large and last, and is shared out.
  fullyParallel: false,
  // One more than cores are usual: each waits now and then, for the clock of a page or for a price.
  workers: 3,
  // A test that fails now and then has found something. CI tries once more, with a trace, and says which did so.
  retries: process.env.CI === undefined ? 0 : 1,
  forbidOnly: process.env.CI !== undefined,
  timeout: 180_000,
  expect: { timeout: 20_000 },
  use: {
    browserName: 'chromium',
    viewport: { width: 1366, height: 768 },
    colorScheme: 'dark',
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    screenshot: 'only-on-failure',
    // Recording every test costs more than running it.
    trace: 'on-first-retry',
    contextOptions: { reducedMotion: 'reduce' },
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? 'chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        // Pages of a window share a process, which has the code of the dashboard compiled.
        '--renderer-process-limit=1',
      ],
    },
  },
})
