/**
 * Counts, line by line while it goes, for `stream.handler` behind a function URL whose invoke mode
 * is RESPONSE_STREAM.
 */
export function handler({ to = 3 }: { to?: number }): ReadableStream<string> {
  let line = 0;
  return new ReadableStream({
    async pull(controller) {
      if (line === to) return controller.close();
      await new Promise((resolve) => setTimeout(resolve, 100));
      line += 1;
      controller.enqueue(`line ${line} of ${to}\n`);
    },
  });
}
