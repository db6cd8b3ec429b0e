import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { rootCertificates } from 'node:tls';
import { LayersError } from '../errors';

/** Times that one request is tried: the SDK's standard mode, exponential with jitter. */
export const MAX_ATTEMPTS = 5;

/**
 * What every AWS client here is made with: bounded, jittered retries, and timeouts that end.
 *
 * The SDK itself reads `AWS_ENDPOINT_URL` (and its forms per service). It does not read
 * `AWS_CA_BUNDLE`, which the AWS CLI does (https://github.com/aws/aws-sdk-js-v3/issues/3824).
 *
 * @param requestTimeoutMs longest time for one request, milliseconds
 * @throws LayersError `CertificatesUnreadable`
 */
export function clientConfig(requestTimeoutMs: number) {
  const ca = certificateAuthorities(process.env);
  return {
    retryMode: 'standard',
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: {
      connectionTimeout: 10_000,
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
      ...(ca && { httpsAgent: new Agent({ keepAlive: true, maxSockets: 50, ca }) }),
    },
  };
}

/** Undefined where Node's own default, which includes NODE_EXTRA_CA_CERTS, is right. */
function certificateAuthorities(env: NodeJS.ProcessEnv): string[] | undefined {
  if (!env.AWS_CA_BUNDLE) return undefined;
  const files = [env.AWS_CA_BUNDLE, env.NODE_EXTRA_CA_CERTS].filter((file) => file);
  return [...rootCertificates, ...files.map((file) => readCertificates(file as string))];
}

function readCertificates(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new LayersError(
      'CertificatesUnreadable',
      `certificates "${file}" cannot be read (${(cause as NodeJS.ErrnoException).code}); correct AWS_CA_BUNDLE and NODE_EXTRA_CA_CERTS`,
      { cause },
    );
  }
}
