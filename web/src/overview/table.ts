/**
 * The list is a table whose rows are laid out as a grid. Some browsers take the meaning from table elements that are displayed
 * as something else, so it is said once more.
 */
export const TABLE = { role: 'table' } as const
export const GROUP = { role: 'rowgroup' } as const
export const ROW = { role: 'row' } as const
export const COLUMN_HEADER = { role: 'columnheader', scope: 'col' } as const
export const ROW_HEADER = { role: 'rowheader', scope: 'row' } as const
export const CELL = { role: 'cell' } as const
