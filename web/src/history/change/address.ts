/** Address of the page of a change, for one asset. */
export function changeAddress(version: number, asset?: string): string {
  return `/history/${version}${asset === undefined ? '' : `?${new URLSearchParams({ asset })}`}`
}

/** The version in an address; null for what is none. */
export function versionIn(text: string | undefined): number | null {
  return /^\d{1,15}$/.test(text ?? '') ? Number(text) : null
}
