/**
 * The headless configuration form: what a person has typed, kept apart from what is in force. No React, no DOM.
 *
 * @packageDocumentation
 */
export { createConfigDraft } from './draft.js'
export { defaultsOf, type FieldSpec, fieldsOf, formSections, rulebookOf, type SectionSpec } from './sections.js'
export type { ChangedField, ConfigDraft, ConfigDraftOptions, DraftField, DraftSnapshot, Source } from './snapshot.js'
export type { Typed } from './typed.js'
