import { join, resolve } from 'node:path';
import type { Place } from '../../../lib/config';
import type { deliverySchema } from '../../../lib/config/schema';
import type { Architecture } from '../../../lib/release';
import { readJsonFile } from './output';

/** A configuration as a person writes it. */
export type RawConfig = Parameters<typeof deliverySchema.parse>[0] &
  ReturnType<typeof deliverySchema.parse>;

/** The processor of this machine, so that functions run as they are. */
export const NATIVE: Architecture = process.arch === 'arm64' ? 'arm64' : 'x86_64';

/** Account that the released layers are shared with. */
const CONSUMER = '444444444444';

/** How Lambda spells that account in a layer version's policy. */
export const CONSUMER_ARN = `arn:aws:iam::${CONSUMER}:root`;

/** `context.delivery` of the repository's cdk.json. */
export function shippedConfig(): RawConfig {
  const file = join(resolve(__dirname, '../../..'), 'cdk.json');
  return readJsonFile<{ context: { delivery: RawConfig } }>(file).context.delivery;
}

/**
 * The shipped configuration with Node.js for this machine's processor only, shared with another
 * account: one layer builds in seconds, and there are permissions to look at.
 */
export function smallConfig(versions: readonly string[]): RawConfig {
  return {
    ...shippedConfig(),
    runtimes: [{ name: 'node', versions: [...versions], architectures: [NATIVE] }],
    sharing: { with: 'accounts', accounts: [CONSUMER] },
  };
}

export type { Place };

/** Targets of a configuration, wave by wave. */
export function targetsOf(config: RawConfig, wave?: string): Place[] {
  return config.waves
    .filter(({ name }) => wave === undefined || name === wave)
    .flatMap(({ accounts, regions }) =>
      accounts.flatMap((account) => regions.map((region) => ({ account, region }))),
    );
}
