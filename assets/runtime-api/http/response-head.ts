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

/**
 * @param text everything up to and with the empty line; every CR in it is followed by an LF
 * @throws MalformedResponse
 */
export function parseHead(text: string): ResponseHead {
  const [statusLine, ...lines] = text.slice(0, -4).split('\r\n') as [string, ...string[]];
  const [, minor, code] = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: |$)/.exec(statusLine) ?? [];
  if (code === undefined) {
    throw new MalformedResponse(`${JSON.stringify(statusLine.slice(0, 80))} is no status line`);
  }
  const status = Number(code);
  if (status === 101) throw new MalformedResponse('it changes the protocol, unasked');
  const headers = parseFields(lines);
  const framing = framingOf(status, headers);
  const connection = tokens(headers.get('connection'));
  const persistent =
    minor === '1' ? !connection.includes('close') : connection.includes('keep-alive');
  return { status, headers, framing, keepAlive: persistent && framing !== 'until-close' };
}

function parseFields(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  let name = '';
  for (const line of lines) {
    if (line.includes('\0')) throw new MalformedResponse('its header holds a NUL');
    // A folded line is obsolete, but legal to receive: it goes on with the field before it.
    if (line.startsWith(' ') || line.startsWith('\t')) {
      if (name === '') throw new MalformedResponse('its header starts with a folded line');
      headers.set(name, trim(`${headers.get(name)} ${trim(line)}`));
      continue;
    }
    const colon = line.indexOf(':');
    if (colon < 1 || !TOKEN.test(line.slice(0, colon))) {
      throw new MalformedResponse(`${JSON.stringify(line.slice(0, 80))} is no header field`);
    }
    name = line.slice(0, colon).toLowerCase();
    const value = trim(line.slice(colon + 1));
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
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
  const [first, ...others] = length.split(',').map(trim) as [string, ...string[]];
  if (!/^\d{1,15}$/.test(first) || others.some((other) => other !== first)) {
    throw new MalformedResponse(`${JSON.stringify(length.slice(0, 80))} is no content length`);
  }
  return Number(first);
}

function tokens(list: string | undefined): string[] {
  if (list === undefined) return [];
  return list.split(',').map((token) => trim(token).toLowerCase());
}

/** Without the spaces and tabs around it; `String.trim` would take more than HTTP allows. */
function trim(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}
