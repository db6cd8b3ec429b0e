import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';

/** A number of parallel tasks, for commander. */
export function parseConcurrency(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1 || number > 64) {
    throw new InvalidArgumentError('it must be a whole number from 1 to 64');
  }
  return number;
}

/** A file or folder, for commander: an empty one is a variable that was not set. */
export function parsePath(value: string): string {
  if (value.trim() === '') throw new InvalidArgumentError('it is empty; write a path');
  return value;
}

/** {@link parsePath}, of a command that is an npm script: see {@link typedPath}. */
export function parseTypedPath(script: string): (value: string) => string {
  return (value) => typedPath(script, parsePath(value));
}

/**
 * What a path means where it was typed: `npm run <script>` changes to the folder of package.json.
 * Programs that a script starts have npm's variables, too, but the name of that script.
 */
export function typedPath(script: string, path: string): string {
  const { npm_lifecycle_event: running, INIT_CWD: folder } = process.env;
  if (running !== script || !folder || folder === process.cwd()) return path;
  return resolve(folder, path);
}

/** Names with commas between them, each once, for commander. */
export function parseNames(value: string): string[] {
  const names = value.split(',').map((name) => name.trim());
  if (names.includes('')) throw new InvalidArgumentError('write names with commas between them');
  return [...new Set(names)];
}
