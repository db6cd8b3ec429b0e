/** Imports a module by the URL that its relatives know it by, so that none is loaded twice. */
export function importFile(path: string): Promise<Record<string, unknown>> {
  // What a URL would read in another way; it encodes the rest by itself.
  return import(`file://${path.replace(/[%\\?#\t\r\n]/g, encodeURIComponent)}`);
}
