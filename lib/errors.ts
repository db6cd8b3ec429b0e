/**
 * The one error class for everything a user can put right.
 *
 * `code` is stable and PascalCase, so that tests and other programs can tell errors apart.
 * `message` is lowercase without a full stop, and names the field, the value and the cure.
 */
export class LayersError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'LayersError';
    this.code = code;
  }
}

/** Prints an error as one message (a stack only for defects, which are never a LayersError). */
export function describeError(error: unknown): string {
  if (error instanceof LayersError) return `error [${error.code}]: ${error.message}`;
  if (error instanceof Error) return error.stack ?? error.message;
  return String(error);
}

/** What a thrown value says, for a message of ours that goes on with it. */
export function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
