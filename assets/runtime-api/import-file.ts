/** What a URL would read in another way, the first one first; it encodes the rest by itself. */
const READ_OTHERWISE = '%\\?#\t\r\n';

/** Imports a module by the URL that its relatives know it by, so that none is loaded twice. */
export function importFile(path: string): Promise<Record<string, unknown>> {
  let url = path;
  for (const character of READ_OTHERWISE) url = url.replaceAll(character, encodeURIComponent);
  return import(`file://${url}`);
}
