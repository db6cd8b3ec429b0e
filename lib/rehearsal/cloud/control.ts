import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { json } from 'node:stream/consumers';
import { LayersError } from '../../errors';
import type { CloudAddress } from './model';

/**
 * A request to the local cloud itself, see `extension/control.py`.
 *
 * @param path below `/_rehearsal/`
 * @throws LayersError `ControlRefused` with the cloud's own words
 */
export async function control<Answer>(
  { endpoint, caFile }: CloudAddress,
  path: string,
  message: object,
): Promise<Answer> {
  const { status, body } = await new Promise<{ status?: number; body: unknown }>(
    (resolve, reject) => {
      const call = request(`${endpoint}/_rehearsal/${path}`, {
        method: 'POST',
        ca: readFileSync(caFile),
        agent: false,
      });
      call.once('error', reject);
      call.once('response', (response) => {
        json(response).then((body) => resolve({ status: response.statusCode, body }), reject);
      });
      call.end(JSON.stringify(message));
    },
  );
  if (status === 200) return body as Answer;
  throw new LayersError(
    'ControlRefused',
    `the local cloud refuses ${path}: ${(body as { message?: string }).message ?? status}`,
  );
}
