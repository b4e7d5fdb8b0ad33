import { slowWay } from './delay.ts'
import { expect, test } from './test.ts'
import { REFUSED } from './watch.ts'

test('records show up as they are written, can be narrowed by level and by text, and stand still on request', async ({
  page,
  server,
}) => {
  await test.step('a paused log stands still, counts what is new, and goes on', async () => {
    const newest = await server.change({ settings: { state_threshold_bang: 80 } }, 'SOL', 'before the pause')
    await page.goto('/logs')
    await expect(page.getByRole('log')).toContainText(`(version ${newest.version},`)
    await page.getByRole('button', { name: 'Pause', exact: true }).click()
    const before = await page.getByText(/^\d+ records$/).textContent()
    for (const bang of [81, 82, 83])
      await server.change({ settings: { state_threshold_bang: bang } }, 'SOL', 'while paused')
    const { version } = await server.lastChange()
    const goOn = page.getByRole('button', { name: /^Paused - 3 new/ })
    await expect(goOn).toBeVisible()
    await expect(page.getByText(before ?? '', { exact: true })).toBeVisible()
    await expect(page.getByText(`version ${version},`)).toHaveCount(0)
    await goOn.click()
    await expect(page.getByRole('log').getByText(`version ${version},`)).toBeVisible()
  })
  await test.step('records show up as they are written, and can be narrowed by level and by text', async () => {
    const log = page.getByRole('log')
    const { version } = await server.change({ settings: { state_threshold_bang: 84 } }, 'SOL', 'for the log')
    await expect(log).toContainText(`for SOL (version ${version}, by somebody else, rest)`)
    await expect(log).toContainText('INFO')

    await page.getByLabel('Filter records by text').fill(`version ${version},`)
    await expect(page.getByText(/^1 of \d+ records$/)).toBeVisible()
    await expect(log.getByText('INFO')).toHaveCount(1)
    await expect(log.locator('mark')).toHaveText(`version ${version},`)
    await page.getByLabel('Filter records by text').press('Escape')
    await expect(log.getByText('INFO')).not.toHaveCount(1)

    await page.getByRole('combobox', { name: 'Level' }).selectOption('Warnings and above')
    await expect(page.getByText(`version ${version},`)).toHaveCount(0)
    await expect(page.getByRole('log').getByText('INFO')).toHaveCount(0)
  })
})

test('leaving the logs while they are still connecting leaves nothing behind; a proxy without Upgrade is said', async ({
  page,
  server,
  watch,
}) => {
  watch.allow(/WebSocket connection to .* failed/, REFUSED)
  const way = await slowWay(server.port, '/ws/logs', 500, '/ws/state')
  watch.allowOrigin(way.url)
  const sockets = new Set<unknown>()
  page.on('websocket', (socket) => {
    if (!socket.url().endsWith('/ws/logs')) return
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await page.goto(`${way.url}/logs`)
  await expect.poll(() => sockets.size).toBe(1)
  await page
    .getByRole('navigation', { name: 'Pages' })
    .filter({ visible: true })
    .getByRole('link', { name: 'History' })
    .click()
  await expect(page.getByRole('heading', { name: 'History', level: 1 })).toBeVisible()
  await expect.poll(() => sockets.size).toBe(0)
  const connection = page.getByRole('region', { name: 'Connection' })
  await expect(connection).toContainText('The proxy in front does not pass WebSockets')
  await expect(connection).not.toContainText('cannot be reached')
  // It would say that its way is gone.
  await page.close()
  way.close()
})
