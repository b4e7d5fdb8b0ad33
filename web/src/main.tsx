import '@fontsource-variable/inter'
import '@mantine/core/styles.css'
import '@mantine/notifications/styles.css'
import './app/global.css'
import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { RouterProvider } from 'react-router'
import { VivienneProvider } from 'vivienne-client/react'
import { router } from './app/routes.tsx'
import { cssVariables, theme } from './app/theme.ts'
import { client } from './client.ts'

const queries = new QueryClient({
  defaultOptions: { queries: { retry: 2, refetchOnWindowFocus: false } },
})
const schemes = localStorageColorSchemeManager({ key: 'vivienne-color-scheme' })
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
      <Notifications position="bottom-right" />
      <QueryClientProvider client={queries}>
        <VivienneProvider client={client}>
          <RouterProvider router={router} />
        </VivienneProvider>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
)
