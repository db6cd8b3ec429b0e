import { RuntimeError } from './errors';

/** Where the Runtime API listens. */
export interface Address {
  /** A name or an IP address, without brackets. */
  readonly host: string;
  readonly port: number;
}

/**
 * Reads `host`, `host:port`, `[v6]` or `[v6]:port`. No regular expression: the first ones of a process
 * take a tenth of a millisecond each.
 *
 * @throws RuntimeError `Runtime.InvalidEnvironment`
 */
export function parseAddress(address: string): Address {
  const bracket = address.startsWith('[') ? address.indexOf(']') : -1;
  const colon = address.indexOf(':', bracket + 1);
  const end = colon < 0 ? address.length : colon;
  const host = bracket < 0 ? address.slice(0, end) : address.slice(1, bracket);
  const port = colon < 0 ? 80 : Number(address.slice(colon + 1) || Number.NaN);
  const isHost = host !== '' && !host.startsWith('[') && (bracket < 0 || bracket + 1 === end);
  if (!isHost || !Number.isInteger(port) || port < 0) {
    const what = `AWS_LAMBDA_RUNTIME_API is ${JSON.stringify(address)} instead of <host>:<port>`;
    throw new RuntimeError('InvalidEnvironment', what);
  }
  return { host, port };
}
