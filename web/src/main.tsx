import '@fontsource-variable/inter'
import './app/components.css'
import './app/global.css'
import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { BrowserRouter } from 'react-router'
import { VivienneProvider } from 'vivienne-client/react'
import { fetchEverything } from './app/later.ts'
import { askAgainWhenLive } from './app/reconnecting.ts'
import { goesToRoot, ROOT } from './app/root.ts'
import { Views } from './app/routes.tsx'
import { cssVariables, theme } from './app/theme.ts'
import { client } from './client.ts'
import { Gate } from './signin/Gate.tsx'

const queries = new QueryClient({
  defaultOptions: { queries: { retry: 2, refetchOnWindowFocus: false } },
})
const schemes = localStorageColorSchemeManager({ key: 'vivienne-color-scheme' })

askAgainWhenLive(client, queries)
void fetchEverything()
const root = document.getElementById('root')
if (root === null) throw new Error('index.html has no element with the id "root"')

const page = (
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      colorSchemeManager={schemes}
      defaultColorScheme="auto"
    >
      <QueryClientProvider client={queries}>
        <VivienneProvider client={client}>
          <Gate>
            <BrowserRouter basename={ROOT}>
              <Views />
            </BrowserRouter>
          </Gate>
        </VivienneProvider>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>
)
if (!goesToRoot()) createRoot(root).render(page)
