import { join } from 'node:path'

// The page has another URL class than Node, with which the program cannot be found from the address of a module.
process.env.VIVIENNE_BIN ??= join(import.meta.dirname, '../../../../.venv/bin/vivienne')
