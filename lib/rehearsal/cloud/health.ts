import { existsSync, readFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';

/** Whether something answers HTTP at the endpoint, and with the certificate that it should have. */
export function isHealthy(endpoint: string, caFile?: string): Promise<boolean> {
  if (caFile && !existsSync(caFile)) return Promise.resolve(false);
  const { request } = endpoint.startsWith('https:') ? https : http;
  const ca = caFile ? readFileSync(caFile) : undefined;
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
