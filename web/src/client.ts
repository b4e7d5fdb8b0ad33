import { createVivienneClient } from 'vivienne-client'
import { authorName } from './app/author.ts'

/** The dashboard speaks to the server it came from. */
export const client = createVivienneClient({ baseUrl: window.location.origin, author: () => authorName() })
