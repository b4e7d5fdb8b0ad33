/** That a version does not exist, and which is the newest; undefined if there is none. */
export function missingWords(version: number, newest: number | undefined): string {
  const known = newest === undefined ? 'Nothing has been changed yet' : `The newest version is ${newest}`
  return `Version ${version} does not exist. ${known}.`
}
