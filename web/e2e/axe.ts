import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type axe from 'axe-core'
import { expect, type Page } from './test.ts'

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Looks at some parts of a page, each given by a selector, in both colours. */
export async function expectNothingSerious(page: Page, ...parts: string[]): Promise<void> {
  // Once for each page; there are no frames.
  if (await page.evaluate(() => !('axe' in window))) await page.evaluate(source)
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme })
    await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', colorScheme)
    // What else axe looks at does not depend on the colours.
    const rules = colorScheme === 'light' ? ['color-contrast', 'link-in-text-block'] : []
    expect(await seriousProblems(page, parts, rules), `in ${colorScheme} colours`).toEqual([])
  }
}

/** What axe finds with some rules, or with all of them. */
function seriousProblems(page: Page, parts: string[], rules: string[]): Promise<string[]> {
  return page.evaluate(
    async ([parts, rules]) => {
      const { violations } = await (window as unknown as { axe: typeof axe }).axe.run(
        parts.length === 0 ? document : { include: parts },
        {
          resultTypes: ['violations'],
          preload: false,
          iframes: false,
          ...(rules.length > 0 && { runOnly: rules }),
        },
      )
      return violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .flatMap(({ id, nodes }) =>
          nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`),
        )
    },
    [parts, rules] as const,
  )
}
