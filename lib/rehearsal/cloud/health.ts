import { existsSync, readFileSync } from 'node:fs';
import { request } from 'node:https';

/** Whether something answers at the endpoint, with the certificate that it should have. */
export function isHealthy(endpoint: string, caFile: string): Promise<boolean> {
  if (!existsSync(caFile)) return Promise.resolve(false);
  const ca = readFileSync(caFile);
  return new Promise((resolve) => {
    const call = request(`${endpoint}/_ministack/health`, { ca, agent: false, timeout: 2000 });
    call.once('response', (response) => {
      response.resume();
      resolve((response.statusCode ?? 500) < 500);
    });
    call.once('timeout', () => call.destroy(new Error('timeout')));
    call.once('error', () => resolve(false));
    call.end();
  });
}
