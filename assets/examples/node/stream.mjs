import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';

/**
 * Counts, line by line while it goes, for `stream.handler` behind a function URL whose invoke mode
 * is RESPONSE_STREAM.
 */
export const handler = awslambda.streamifyResponse(async (event, responseStream) => {
  const http = awslambda.HttpResponseStream.from(responseStream, {
    statusCode: 200,
    headers: { 'Content-Type': 'text/plain; charset=utf-8' },
  });
  await pipeline(count(event.to ?? 3), http);
});

async function* count(to) {
  for (let line = 1; line <= to; line++) {
    await setTimeout(100);
    yield `line ${line} of ${to}\n`;
  }
}
