import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '../config';
import { LayersError } from '../errors';
import type { RuntimeSelection } from './specs';

/** What the delivery configuration in `cdk.json` asks for; nothing in a folder that has none. */
export function configuredRuntimes(directory = process.cwd()): readonly RuntimeSelection[] {
  try {
    return existsSync(join(directory, 'cdk.json')) ? readConfig(directory).runtimes : [];
  } catch (error) {
    // The CDK app of somebody who has this project's package.
    if (error instanceof LayersError && error.code === 'MissingConfiguration') return [];
    throw error;
  }
}
