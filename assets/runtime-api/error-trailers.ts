import { type ErrorDocument, errorTypeHeader } from './errors';

const encoder = new TextEncoder();

export const ERROR_TYPE = 'Lambda-Runtime-Function-Error-Type';
export const ERROR_BODY = 'Lambda-Runtime-Function-Error-Body';

/**
 * Go's HTTP server, which the Runtime Interface Emulator is built on, gives a connection up whose
 * trailer fields exceed its buffer of 4096 bytes. Base64 makes four bytes of three.
 */
const MAX_DOCUMENT_BYTES = 2800;
/** Characters that are left of a text in the worst case; each may take six bytes. */
const SHORTENED = 128;

/** Trailer fields, each one with its line end, for an error that comes in the middle of an answer. */
export function errorTrailers(error: ErrorDocument): string {
  const latin1 = Array.from(fitting(error), (byte) => String.fromCharCode(byte)).join('');
  const type = errorTypeHeader(error.errorType.slice(0, SHORTENED));
  return `${ERROR_TYPE}: ${type}\r\n${ERROR_BODY}: ${btoa(latin1)}\r\n`;
}

/** The document without what there is no room for: causes, then outer frames, then text. */
function fitting({ cause, ...error }: ErrorDocument): Uint8Array {
  let bytes = encode({ ...error, cause });
  const stackTrace = [...error.stackTrace];
  if (bytes.length > MAX_DOCUMENT_BYTES) bytes = encode(error);
  while (bytes.length > MAX_DOCUMENT_BYTES && stackTrace.pop() !== undefined) {
    bytes = encode({ ...error, stackTrace });
  }
  if (bytes.length <= MAX_DOCUMENT_BYTES) return bytes;
  const errorType = error.errorType.slice(0, SHORTENED);
  return encode({ errorType, errorMessage: shortened(error.errorMessage), stackTrace: [] });
}

function shortened(text: string): string {
  return text.length > SHORTENED ? `${text.slice(0, SHORTENED)}…` : text;
}

function encode(error: ErrorDocument): Uint8Array {
  return encoder.encode(JSON.stringify(error));
}
