import { SERVER } from '../app/root.ts'
import { authorized } from '../client.ts'
import { fileName, refusal } from './exporting.ts'

/**
 * Fetches a file and lets the browser save it. A plain link would not do: it cannot show a token, and what the server refuses
 * would take the place of the page.
 *
 * @throws Error - with a sentence for a person
 */
export async function save(path: string): Promise<void> {
  const { file, name } = await fetched(path)
  const url = URL.createObjectURL(file)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The browser reads it after the click.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

async function fetched(path: string): Promise<{ file: Blob; name: string }> {
  const response = await authorized(`${SERVER}${path}`, { redirect: 'manual' }).catch(() => {
    throw new Error('The server cannot be reached. Try again once the connection is back.')
  })
  if (!response.ok) throw new Error(await refusal(response))
  const file = await response.blob().catch(() => {
    throw new Error('The file broke off before its end. Try again.')
  })
  return { file, name: fileName(response.headers.get('content-disposition')) }
}
