import { createHash } from 'node:crypto';
import { type DeliveryConfig, parseConfig } from '../../lib/config';
import { type DeliveryPlan, type ExampleRuntime, planDelivery } from '../../lib/plan';
import { type Architecture, layerName, type ReleaseLayer } from '../../lib/release';

/** A configuration that is right in every field; tests change one thing each. */
// biome-ignore lint/suspicious/noExplicitAny: tests put wrong values in on purpose
export function rawConfig(): Record<string, any> {
  return {
    name: 'layers',
    source: {
      connectionArn:
        'arn:aws:codeconnections:us-east-1:999999999999:connection/00000000-0000-0000-0000-000000000000',
      repository: 'acme/runtime-layers',
      branch: 'main',
    },
    home: { account: '999999999999', region: 'us-east-1' },
    runtimes: [
      { name: 'deno', versions: ['2.9.5'] },
      { name: 'node', versions: ['24.21.0'] },
    ],
    waves: [
      { name: 'pilot', accounts: ['888888888888'], regions: ['us-east-1', 'eu-west-1'] },
      {
        name: 'production',
        accounts: ['777777777777'],
        regions: ['us-east-1', 'eu-west-1'],
        approval: true,
      },
    ],
    sharing: { with: 'organization', organizationId: 'o-a1b2c3d4e5' },
  };
}

export function fakeLayer(
  runtime: string,
  version: string,
  architecture: Architecture,
  seed = 'a',
): ReleaseLayer {
  const digest = createHash('sha256')
    .update([runtime, version, architecture, seed].join('\n'))
    .digest('hex');
  return {
    schemaVersion: 1,
    runtime,
    version,
    architecture,
    name: layerName({ runtime, version, architecture, digest }),
    digest,
    codeSha256: Buffer.from(digest, 'hex').toString('base64'),
    zipBytes: 40_000_000,
    unzippedBytes: 95_000_000,
    license: 'MIT',
    description: `${runtime} ${version} for ${architecture}`,
    compatibleRuntimes: ['provided.al2023'],
    source: { package: runtime, version, integrity: 'sha512-x' },
  };
}

export function fakeLayers(config: DeliveryConfig, seed?: string): ReleaseLayer[] {
  return config.runtimes.flatMap(({ name, versions, architectures }) =>
    versions.flatMap((version) =>
      architectures.map((architecture) => fakeLayer(name, version, architecture, seed)),
    ),
  );
}

export function fakeExamples(config: DeliveryConfig): ExampleRuntime[] {
  return config.runtimes.map(({ name }) => ({
    runtime: name,
    digest: name.padEnd(64, '0'),
    codeSha256: 'x',
    zipBytes: 1000,
    handler: 'index.handler',
    memory: 256,
  }));
}

export function planOf(raw = rawConfig(), seed?: string): DeliveryPlan {
  const config = parseConfig(raw);
  return planDelivery(config, fakeLayers(config, seed), fakeExamples(config));
}
