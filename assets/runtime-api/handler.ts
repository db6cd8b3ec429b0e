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
  const lastName = name.lastIndexOf('/') + 1;
  const dot = name.indexOf('.', lastName);
  const file = name.slice(0, dot);
  const path = name.slice(dot + 1);
  if (dot <= lastName || path === '' || file.split('/').includes('..')) {
    throw new RuntimeError('MalformedHandlerName', `handler "${name}" is not <file>.<function>`);
  }
  return { file, path: path.split('.') };
}

/**
 * Loads the module that `_HANDLER` names, and finds the function in its exports: a file below
 * LAMBDA_TASK_ROOT or with an absolute path, or a package, as wrappers that come in layers are.
 *
 * @throws RuntimeError, or whatever the module throws
 */
export async function loadHandler(platform: Platform): Promise<Handler> {
  const name = platform.getEnv('_HANDLER') ?? '';
  const { file, path } = parseHandlerName(name);
  const root = platform.getEnv('LAMBDA_TASK_ROOT') ?? platform.currentFolder();
  const base = file.startsWith('/') ? file : `${root}/${file}`;
  const found =
    platform.findFile(platform.extensions.map((extension) => base + extension)) ??
    platform.findModule?.(file, root);
  if (found === undefined) {
    const tried = platform.extensions.map((extension) => file + extension).join(', ');
    throw new RuntimeError('ImportModuleError', `no file for handler "${name}"; tried ${tried}`);
  }
  const module = await platform.loadModule(found);
  // A CommonJS module's exports are the default one; named ones may be a guess, or not be there.
  const [owner, exported] = method(module, path) ?? method(module.default, path) ?? [];
  if (!exported) {
    const where = path.join('.');
    throw new RuntimeError('HandlerNotFound', `${found} exports no function "${where}"`);
  }
  // A method keeps its `this`; a function that an ES module exports has none.
  const run = path.length === 1 && owner === module ? exported : exported.bind(owner);
  const streaming = streamingOf(exported);
  return { run, streaming, callsBack: !streaming && exported.length >= 3 };
}

/** The object at the path and its function; undefined where there is none. */
function method(value: unknown, path: readonly string[]): [unknown, Handler['run']] | undefined {
  let owner: unknown;
  let found = value;
  for (const key of path) {
    owner = found;
    found = (found as Record<string, unknown> | null | undefined)?.[key];
  }
  return typeof found === 'function' ? [owner, found as Handler['run']] : undefined;
}
