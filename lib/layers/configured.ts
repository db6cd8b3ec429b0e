import { readConfig } from '../config';
import type { RuntimeSelection } from './specs';

/** What the delivery configuration in `cdk.json` asks for. */
export function configuredRuntimes(directory?: string): readonly RuntimeSelection[] {
  return readConfig(directory).runtimes;
}
