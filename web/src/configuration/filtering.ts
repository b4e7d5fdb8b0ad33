import { type FieldSpec, fieldsOf, type SectionSpec } from 'vivienne-client/draft'

/** True if all words of a search are in the name, the path or the flat name of a field. */
export function matches(spec: FieldSpec, search: string): boolean {
  const said = [spec.title, spec.path, spec.path.replaceAll('_', ' '), spec.flatName ?? ''].join(' ').toLowerCase()
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => said.includes(word))
}

/** Paths of all fields a search finds; with an empty search, all. */
export function found(sections: readonly SectionSpec[], search: string): Set<string> {
  return new Set(
    fieldsOf(sections)
      .filter((spec) => matches(spec, search))
      .map((spec) => spec.path),
  )
}

/** The sections with only these fields; a section without any is left out. */
export function only(sections: readonly SectionSpec[], paths: ReadonlySet<string>): SectionSpec[] {
  return sections
    .map((section) => ({
      ...section,
      fields: section.fields.filter((field) => paths.has(field.path)),
      sections: only(section.sections, paths),
    }))
    .filter((section) => section.fields.length > 0 || section.sections.length > 0)
}

/** Paths of the sections around a field, outermost first. */
export function sectionsAround(path: string): string[] {
  const parts = path.split('.').slice(0, -1)
  return parts.map((_, index) => parts.slice(0, index + 1).join('.'))
}
