import { RuntimeError } from './errors';
import type { Platform } from './platform';
import { streamingOf } from './response-stream';

/** A function's handler, and how it wants to be called. */
export interface Handler {
  /**
   * `(event, context)`, `(event, responseStream, context)` when it streams, `(event, context,
   * callback)` in callback style.
   */
  readonly run: (event: unknown, ...rest: readonly unknown[]) => unknown;
  readonly streaming: ReturnType<typeof streamingOf>;
  /** Whether it calls back in place of answering, as far as its parameters tell. */
  readonly callsBack: boolean;
}

/** What a handler's name stands for: `a/b/file.one.two`. */
export interface HandlerName {
  /** Path of the module without its extension. */
  readonly file: string;
  /** Where the function lies in the module's exports. */
  readonly path: readonly string[];
}

/** @throws RuntimeError `Runtime.MalformedHandlerName` */
export function parseHandlerName(name: string): HandlerName {
  const [, file, path] = /^((?:.*\/)?[^/.]+)\.([^/]+)$/.exec(name) ?? [];
  if (!file || !path || file.split('/').includes('..')) {
    throw new RuntimeError('MalformedHandlerName', `handler "${name}" is not <file>.<function>`);
  }
  return { file, path: path.split('.') };
}

/**
 * Imports the module that `_HANDLER` names, below LAMBDA_TASK_ROOT or by its absolute path (a
 * layer's wrapper), and finds the function in its exports.
 *
 * @throws RuntimeError, or whatever the module throws
 */
export async function loadHandler(platform: Platform): Promise<Handler> {
  const name = platform.getEnv('_HANDLER') ?? '';
  const { file, path } = parseHandlerName(name);
  const root = platform.getEnv('LAMBDA_TASK_ROOT') ?? platform.currentFolder();
  const base = file.startsWith('/') ? file : `${root}/${file}`;
  const found = platform.findFile(platform.extensions.map((extension) => base + extension));
  if (found === undefined) {
    const tried = platform.extensions.map((extension) => file + extension).join(', ');
    throw new RuntimeError('ImportModuleError', `no file for handler "${name}"; tried ${tried}`);
  }
  const module = await platform.importFile(found);
  // A CommonJS module's exports are the default one; the named ones are only guessed.
  const [owner, exported] = member(module, path) ?? member(module.default, path) ?? [];
  if (typeof exported !== 'function') {
    const where = path.join('.');
    throw new RuntimeError('HandlerNotFound', `${found} exports no function "${where}"`);
  }
  // A method keeps its `this`; a function that a module exports has none.
  const run = path.length === 1 && owner === module ? exported : exported.bind(owner);
  const streaming = streamingOf(exported);
  return { run: run as Handler['run'], streaming, callsBack: !streaming && exported.length >= 3 };
}

/** The value at the path and the object that holds it; undefined where there is none. */
function member(value: unknown, path: readonly string[]): [unknown, unknown] | undefined {
  let owner: unknown;
  let found = value;
  for (const key of path) {
    owner = found;
    found = (found as Record<string, unknown> | null | undefined)?.[key];
  }
  return found === undefined || found === null ? undefined : [owner, found];
}
