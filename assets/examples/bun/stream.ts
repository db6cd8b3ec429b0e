/**
 * Counts, line by line while it goes, for `stream.handler` behind a function URL whose invoke mode
 * is RESPONSE_STREAM.
 */
export async function* handler({ to = 3 }: { to?: number }) {
  for (let line = 1; line <= to; line++) {
    await Bun.sleep(100);
    yield `line ${line} of ${to}\n`;
  }
}
