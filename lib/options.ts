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

/** Names with commas between them, each once, for commander. */
export function parseNames(value: string): string[] {
  const names = value.split(',').map((name) => name.trim());
  if (names.includes('')) throw new InvalidArgumentError('write names with commas between them');
  return [...new Set(names)];
}
