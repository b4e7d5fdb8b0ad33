import type { Locator, Page, Response } from '@playwright/test'
import type { Acknowledgement } from 'vivienne-client'
import { expect } from './test.ts'

/** The input of a number, by the name a person reads. */
export function numberField(page: Page, title: string): Locator {
  return page.getByRole('spinbutton', { name: title, exact: true })
}

/** The last look at a change before it is made. */
export function review(page: Page): Locator {
  return page.getByRole('dialog')
}

/** What has been typed and is not in force. */
export function unsaved(page: Page): Locator {
  return page.getByRole('region', { name: 'Changes that are not saved' })
}

/** Reviews and saves what was typed; gives what the server acknowledged, at the moment it did. */
export async function save(page: Page, reason = ''): Promise<Acknowledgement> {
  await unsaved(page).getByRole('button', { name: 'Review' }).click()
  await review(page).getByLabel('Reason').fill(reason)
  return acknowledged(page, 'partial-update', () =>
    review(page).getByRole('button', { name: 'Save', exact: true }).click(),
  )
}

/** Does something that changes the configuration; gives the acknowledgement. */
export async function acknowledged(page: Page, endpoint: string, act: () => Promise<void>): Promise<Acknowledgement> {
  const answered = page.waitForResponse((response) => isAnswer(response, endpoint))
  await act()
  const response = await answered
  expect(response.status(), await response.text()).toBe(200)
  return response.json()
}

function isAnswer(response: Response, endpoint: string): boolean {
  return response.request().method() === 'POST' && new URL(response.url()).pathname.endsWith(`/${endpoint}`)
}
