import AxeBuilder from '@axe-core/playwright'
import { expect, type Page } from './test.ts'

/** Looks at some parts of a page, each given by a selector, in both colours. */
export async function expectNothingSerious(page: Page, ...parts: string[]): Promise<void> {
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme })
    await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', colorScheme)
    // There are no frames; without this mode each run opens a page of its own.
    const axe = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ['violations'], preload: false })
    // What else axe looks at does not depend on the colours.
    if (colorScheme === 'light') axe.withRules(['color-contrast', 'link-in-text-block'])
    for (const part of parts) axe.include(part)
    const { violations } = await axe.analyze()
    const serious = violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`),
      )
    expect(serious, `in ${colorScheme} colours`).toEqual([])
  }
}
