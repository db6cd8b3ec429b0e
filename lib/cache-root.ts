import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where what was downloaded is kept between runs. */
export function cacheRoot(): string {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(base, 'lambda-runtime-layers');
}
