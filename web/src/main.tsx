import '@fontsource-variable/inter'
import './app/components.css'
import '@mantine/notifications/styles.css'
import './app/global.css'
import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { lazy, StrictMode, Suspense } from 'react'
import { createRoot } from 'react-dom/client'
import { BrowserRouter } from 'react-router'
import { VivienneProvider } from 'vivienne-client/react'
import { loaded } from './app/code.ts'
import { fetchEverything, whenQuiet } from './app/later.ts'
import { Views } from './app/routes.tsx'
import { cssVariables, theme } from './app/theme.ts'
import { client } from './client.ts'

const queries = new QueryClient({
  defaultOptions: { queries: { retry: 2, refetchOnWindowFocus: false } },
})
const schemes = localStorageColorSchemeManager({ key: 'vivienne-color-scheme' })
/** Nothing is announced before somebody has changed something. Without it, the form still says what came of a change. */
const Notifications = lazy(async () => {
  await whenQuiet
  const library = await loaded(() => import('@mantine/notifications')).catch(() => null)
  return { default: library?.Notifications ?? Nothing }
})

function Nothing(_: { position: string }) {
  return null
}

void fetchEverything()
const root = document.getElementById('root')
if (root === null) throw new Error('index.html has no element with the id "root"')

createRoot(root).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      colorSchemeManager={schemes}
      defaultColorScheme="auto"
    >
      <Suspense>
        <Notifications position="bottom-right" />
      </Suspense>
      <QueryClientProvider client={queries}>
        <VivienneProvider client={client}>
          <BrowserRouter>
            <Views />
          </BrowserRouter>
        </VivienneProvider>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
)
