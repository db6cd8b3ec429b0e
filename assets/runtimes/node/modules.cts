// How Node.js finds and loads the modules of a function and of its layers.
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { importFile } from '../../runtime-api/index.js';

/** Of `node:module`, since Node.js 22.15. */
interface ModuleLoader {
  registerHooks(hooks: {
    resolve(specifier: string, context: object, next: Resolve): unknown;
  }): void;
}
type Resolve = (specifier: string, context: object) => unknown;

/** The `require` of earlier versions cannot load all that an ES module may import. */
const REQUIRES_ES_MODULES = 24;
/** Files of no other kind. */
const COMMON_JS = /\.c[jt]s$/;
/** Options that load something before this client, with their value or in front of it. */
const PRELOADS = [
  '-r',
  '--require',
  '--import',
  '--loader',
  '--experimental-loader',
  '--experimental-config-file',
  '--experimental-default-config-file',
];

/**
 * Loads a handler's module, of either kind: by `require`, for `import()` takes longer. What was
 * preloaded to observe functions may hook `require` for CommonJS and `import` for ES modules, so each
 * takes its own way then, as under Lambda's own runtimes.
 */
export async function loadModule(path: string): Promise<Record<string, unknown>> {
  const options = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(' ')];
  const observed = options.some((option) => PRELOADS.includes(option.split('=', 1)[0] as string));
  const tooOld = Number.parseInt(process.versions.node, 10) < REQUIRES_ES_MODULES;
  if (observed ? !isCommonJs(path) : tooOld) return importFile(path);
  try {
    const exported = require(path);
    const isNamespace = Object.prototype.toString.call(exported) === '[object Module]';
    return isNamespace ? exported : { default: exported };
  } catch (error) {
    if (!isRefused(error)) throw error;
    return importFile(path);
  }
}

/**
 * Whether `require` here has refused an ES module that awaits at its top level, or imports what does:
 * it has not run yet. What CommonJS requires is refused when that has run already.
 */
function isRefused(error: unknown): boolean {
  const { code, requireStack } = (error ?? {}) as { code?: unknown; requireStack?: unknown[] };
  return code === 'ERR_REQUIRE_ASYNC_MODULE' && requireStack?.[0] === __filename;
}

/** Whether a file says so by its name, or reads as JavaScript without `import` and `export`. */
function isCommonJs(path: string): boolean {
  if (!path.endsWith('.js')) return COMMON_JS.test(path);
  try {
    const wrapper = ['exports', 'require', 'module', '__filename', '__dirname'];
    process.getBuiltinModule('node:vm').compileFunction(readFileSync(path, 'utf8'), wrapper);
    return true;
  } catch {
    return false;
  }
}

/**
 * `import` ignores NODE_PATH, which `require` obeys: what is found nowhere else is looked for from
 * the folders that hold its `node_modules`.
 */
export function importFromNodePath(): void {
  const parents = (process.env.NODE_PATH ?? '')
    .split(':')
    .filter((path) => path.endsWith('/node_modules'))
    .map((path) => pathToFileURL(`${dirname(path)}/`).href);
  // Hooks slow every import down.
  if (parents.length === 0) return;
  // Not imported: it takes a third of a millisecond of a start.
  const loader = process.getBuiltinModule('node:module') as unknown as ModuleLoader;
  loader.registerHooks({
    resolve(specifier, context, next) {
      try {
        return next(specifier, context);
      } catch (error) {
        if (!isBare(specifier)) throw error;
        for (const parentURL of parents) {
          try {
            return next(specifier, { ...context, parentURL });
          } catch {
            // The first error names the place that the reader knows.
          }
        }
        throw error;
      }
    },
  });
}

/** Whether it names a package: not a file, not what `imports` of a package.json names, not a URL. */
function isBare(specifier: string): boolean {
  return !['.', '/', '#'].includes(specifier.charAt(0)) && !URL.canParse(specifier);
}
