import type { DeliveryConfig } from '../../../lib/config';
import { parseConfig } from '../../../lib/config';
import { locate, planParameters } from '../../../lib/plan';
import { layerVersionArn } from '../../../lib/plan/names';
import type { TargetState } from '../../../lib/rehearsal/session/targets';
import type { ReleaseLayer, SmokeCheck } from '../../../lib/release';

export const LAYER: ReleaseLayer = {
  schemaVersion: 1,
  runtime: 'deno',
  version: '2.9.5',
  architecture: 'arm64',
  name: 'deno-2_9_5-arm64-0123456789ab',
  digest: '0123456789ab'.padEnd(64, '0'),
  codeSha256: 'bytes',
  zipBytes: 1,
  unzippedBytes: 2,
  license: 'MIT',
  description: 'Deno',
  compatibleRuntimes: ['provided.al2023'],
  source: { package: '@deno/linux-arm64-glibc', version: '2.9.5', integrity: 'sha512-x' },
};

export const CONFIG: DeliveryConfig = parseConfig({
  source: {
    connectionArn:
      'arn:aws:codeconnections:us-east-1:111111111111:connection/00000000-0000-0000-0000-000000000000',
    repository: 'example/layers',
  },
  home: { account: '111111111111', region: 'us-east-1' },
  runtimes: [{ name: 'deno', versions: ['2.9.5'], architectures: ['arm64'] }],
  waves: [
    {
      name: 'pilot',
      accounts: ['222222222222'],
      regions: ['us-east-1', 'eu-west-1'],
      paused: [{ region: 'eu-west-1', reason: 'an outage', since: '2026-11-01' }],
    },
  ],
});

/** ARN of the layer in a target of the only account. */
export const arnIn = (region: string) =>
  layerVersionArn(locate({ account: '222222222222', region }), LAYER.name);

/** A target into which everything was released. */
export function released(region: string): TargetState {
  const parameters = planParameters(CONFIG.namespace, locate({ account: '222222222222', region }), [
    LAYER,
  ]);
  return {
    account: '222222222222',
    region,
    wave: 'pilot',
    parameters: Object.fromEntries(parameters.map(({ name, value }) => [name, value])),
    parameterVersions: Object.fromEntries(parameters.map(({ name }) => [name, 1])),
    layerVersions: { [arnIn(region)]: LAYER.codeSha256 },
    permissions: [],
  };
}

/** A target into which nothing was released. */
export function empty(region: string): TargetState {
  return {
    ...released(region),
    parameters: {},
    parameterVersions: {},
    layerVersions: {},
  };
}

export const CHECK: SmokeCheck = {
  account: '222222222222',
  region: 'us-east-1',
  layer: LAYER.name,
  functionName: `layers-${LAYER.name}`,
  ok: true,
  ran: true,
  milliseconds: 12,
  message: '',
};
