/**
 * The headless configuration form: typed values, kept apart from those in force. No React, no DOM.
 *
 * @packageDocumentation
 */
export { createConfigDraft } from './draft.js'
export { type Numeral, numeral } from './numerals.js'
export { defaultsOf, type FieldSpec, fieldsOf, formSections, rulebookOf, type SectionSpec } from './sections.js'
export type { ChangedField, ConfigDraft, ConfigDraftOptions, DraftField, DraftSnapshot, Source } from './snapshot.js'
export type { Typed } from './typed.js'
