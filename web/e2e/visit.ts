import type { Page } from './test.ts'

/**
 * Opens an address in the page as a link would, so that the page is not loaded again. Use it where a test is about what
 * stands at an address; that addresses can be loaded is tested by those that begin there.
 */
export async function visit(page: Page, address: string): Promise<void> {
  await page.evaluate((to) => {
    history.pushState(null, '', to)
    dispatchEvent(new PopStateEvent('popstate'))
  }, address)
}
