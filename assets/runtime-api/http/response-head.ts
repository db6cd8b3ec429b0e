/** Bytes that are no HTTP/1.x response. */
export class MalformedResponse extends Error {
  override readonly name = 'Runtime.MalformedResponse';

  constructor(reason: string) {
    super(`the Runtime API sent a malformed HTTP response: ${reason}`);
  }
}

/** Status line and header fields. */
export interface ResponseHead {
  readonly status: number;
  /** By lowercase name; fields of the same name are joined by a comma. */
  readonly headers: ReadonlyMap<string, string>;
  /** Bytes of the body, or what tells where it ends (RFC 9112, 6.3). */
  readonly framing: number | 'chunked' | 'until-close';
  /** Whether another request may be sent on the connection. */
  readonly keepAlive: boolean;
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Field names in lowercase, by how they were written: a server always sends the same few. */
const NAMES = new Map<string, string>();
const MOST_NAMES = 64;

/**
 * @param text everything up to and with the empty line; every CR in it is followed by an LF
 * @throws MalformedResponse
 */
export function parseHead(text: string): ResponseHead {
  const statusEnd = text.indexOf('\r\n');
  const [, minor, code] = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: |\r)/.exec(text) ?? [];
  if (code === undefined) {
    const statusLine = text.slice(0, Math.min(statusEnd, 80));
    throw new MalformedResponse(`${JSON.stringify(statusLine)} is no status line`);
  }
  const status = Number(code);
  if (status === 101) throw new MalformedResponse('it changes the protocol, unasked');
  const headers = parseFields(text, statusEnd + 2);
  const framing = framingOf(status, headers);
  const connection = tokens(headers.get('connection'));
  const persistent =
    minor === '1' ? !connection.includes('close') : connection.includes('keep-alive');
  return { status, headers, framing, keepAlive: persistent && framing !== 'until-close' };
}

/** @param from where the first field begins, or the empty line */
function parseFields(text: string, from: number): Map<string, string> {
  if (text.includes('\0')) throw new MalformedResponse('its header holds a NUL');
  const headers = new Map<string, string>();
  let name = '';
  let end = 0;
  for (let at = from; at < text.length - 2; at = end + 2) {
    end = text.indexOf('\r\n', at);
    // A folded line is obsolete, but legal to receive: it goes on with the field before it.
    if (isBlank(text.charCodeAt(at))) {
      if (name === '') throw new MalformedResponse('its header starts with a folded line');
      headers.set(name, trimmed(`${headers.get(name)} ${trimmed(text, at, end)}`));
      continue;
    }
    const colon = text.indexOf(':', at);
    const known = colon > at && colon < end ? nameOf(text.slice(at, colon)) : undefined;
    if (known === undefined) {
      const line = text.slice(at, Math.min(end, at + 80));
      throw new MalformedResponse(`${JSON.stringify(line)} is no header field`);
    }
    name = known;
    const value = trimmed(text, colon + 1, end);
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

/** In lowercase; undefined for what is no name. */
function nameOf(written: string): string | undefined {
  const known = NAMES.get(written);
  if (known !== undefined || !TOKEN.test(written)) return known;
  const name = written.toLowerCase();
  if (NAMES.size < MOST_NAMES) NAMES.set(written, name);
  return name;
}

function framingOf(status: number, headers: ReadonlyMap<string, string>): ResponseHead['framing'] {
  const coding = headers.get('transfer-encoding');
  const length = headers.get('content-length');
  if (status < 200 || status === 204 || status === 304) return 0;
  if (coding !== undefined) {
    if (coding.toLowerCase() !== 'chunked') {
      throw new MalformedResponse(
        `its transfer coding ${JSON.stringify(coding)} was not asked for`,
      );
    }
    if (length !== undefined) {
      throw new MalformedResponse('it has a content length and a transfer coding');
    }
    return 'chunked';
  }
  if (length === undefined) return 'until-close';
  const [first, ...others] = length.split(',').map((part) => trimmed(part)) as [
    string,
    ...string[],
  ];
  if (!/^\d{1,15}$/.test(first) || others.some((other) => other !== first)) {
    throw new MalformedResponse(`${JSON.stringify(length.slice(0, 80))} is no content length`);
  }
  return Number(first);
}

function tokens(list: string | undefined): string[] {
  if (list === undefined) return [];
  return list.split(',').map((token) => trimmed(token).toLowerCase());
}

/** Without the spaces and tabs around it; `String.trim` would take more than HTTP allows. */
function trimmed(text: string, start = 0, end = text.length): string {
  let from = start;
  let to = end;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}
