import { PAGE_CODE } from './routes.tsx'

const QUIET_MS = 3_000

/** Over once the first page had the network to itself. */
const whenQuiet = new Promise<void>((resolve) => setTimeout(resolve, QUIET_MS))

/** Parts of pages that are loaded on request. */
const PARTS = [
  () => import('../history/HistoryPanel.tsx'),
  () => import('../asset/chart/tools/Panes.tsx'),
  () => import('../asset/chart/tools/Measure.tsx'),
  () => import('../configuration/Review.tsx'),
  () => import('../pausing/ResumeDialog.tsx'),
  () => import('./ShortcutList.tsx'),
  () => import('../alerts/bell/BellList.tsx'),
  () => import('../signin/SignInPage.tsx'),
]

/** Fetch the parts ahead, one after the other: they must open without a server, too, and nothing waits behind them. */
export async function fetchEverything(): Promise<void> {
  await whenQuiet
  for (const load of [...PAGE_CODE, ...PARTS]) {
    // What cannot be fetched now is fetched when it is asked for, and its failure shown there.
    await load().catch(() => {})
  }
}
