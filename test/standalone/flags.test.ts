import { loadRuntimes } from '../../lib/layers';
import { appContents } from '../../lib/standalone';
import { readFlags, refuseFlags } from '../../lib/standalone/flags';
import { prepareStandalone } from '../../lib/standalone/prepare';
import { temporaryFolder } from '../temporary-folder';
import { ARN, noVendor, packageVersions, REGION } from './fixture';

const runtimes = loadRuntimes();

function read(context: Record<string, unknown>, region?: string) {
  const { flags, problems } = readFlags(context, runtimes, { region });
  refuseFlags(problems);
  return flags;
}

describe('contents of the app', () => {
  const WANTED = 'aws:cdk:bundling-stacks';

  test('are the delivery pipeline without flags', () => {
    expect(appContents({ delivery: {}, '@aws-cdk/core:x': true, [WANTED]: ['**'] })).toBe(
      'delivery',
    );
    expect(appContents({ 'delivery.source.branch': 'next' })).toBe('delivery');
  });

  test.each([
    'architecture',
    'denoVersion',
    'createExample',
    'layerArn',
    'functionUrl',
    'denVersion',
    'createexample',
    'layer-arn',
    'arch',
    'architectures',
    'denoversion',
    'version',
  ])('are the standalone stacks with %s', (flag) => {
    expect(appContents({ delivery: {}, [flag]: 'x', [WANTED]: ['**'] })).toBe('standalone');
  });

  test('are names when no assets are wanted, whatever the flags', () => {
    expect(appContents({ [WANTED]: [] })).toBe('names');
    expect(appContents({ [WANTED]: [], architecture: 'arm64' })).toBe('names');
  });
});

describe('flags', () => {
  test('have defaults: arm64, no example, no URL, the newest versions', () => {
    expect(read({})).toEqual({
      architecture: 'arm64',
      versions: new Map(),
      createExample: false,
      layerArn: undefined,
      functionUrl: undefined,
    });
  });

  test('are read as typed', () => {
    const context = {
      architecture: 'x86_64',
      denoVersion: 'v2.9.4',
      nodeVersion: '24',
      createExample: 'true',
      functionUrl: 'iam',
    };
    expect(read(context)).toMatchObject({
      architecture: 'x86_64',
      versions: new Map([
        ['deno', 'v2.9.4'],
        ['node', '24'],
      ]),
      createExample: true,
      functionUrl: 'iam',
    });
    expect(read({ createExample: 'true', layerArn: ARN }, REGION).layerArn).toBe(ARN);
    expect(read({ functionUrl: 'false' }).functionUrl).toBeUndefined();
  });

  test.each<[Record<string, unknown>, string]>([
    [
      { architecture: 'aarch64' },
      '"aarch64" is not one of Lambda\'s architectures; Lambda\'s word is arm64',
    ],
    [{ architecture: 'amd64' }, "Lambda's word is x86_64"],
    [{ architecture: 'ARM64' }, "Lambda's word is arm64"],
    [{ architecture: 'constructor' }, 'use arm64 or x86_64'],
    [{ arch: 'arm64' }, 'arch: "arm64" is of no flag; did you mean architecture?'],
    [{ createexample: 'true' }, 'did you mean createExample?'],
    [{ 'deno-version': '2' }, 'did you mean denoVersion?'],
    [
      { architecture: 'riscv' },
      '"riscv" is not one of Lambda\'s architectures; use arm64 or x86_64',
    ],
    [{ createExample: 'yes' }, '"yes" is neither true nor false'],
    [{ denoVersion: 'latest' }, '"latest" is not a version; write for example 2.9.5 or 2'],
    [
      { denVersion: '2.9.5' },
      'denVersion: "2.9.5" belongs to no runtime; the flags are bunVersion, denoVersion, nodeVersion',
    ],
    [
      { createExample: 'true', functionUrl: 'true' },
      '"true" is not a way to reach the function; use iam',
    ],
    [{ functionUrl: 'iam' }, 'add -c createExample=true'],
    [{ layerArn: ARN }, 'add -c createExample=true'],
    [
      { createExample: 'true', layerArn: 'deno' },
      '"deno" is not the ARN of a layer version; it looks like arn:',
    ],
    [
      { createExample: 'true', layerArn: ARN.replace(/:3$/, '') },
      'lacks the number of the version; add for example :1',
    ],
    [
      { createExample: 'true', layerArn: ARN, denoVersion: '2' },
      'layerArn names one that exists; remove one of the two',
    ],
  ])('fails with %j', (context, message) => {
    expect(() => read(context)).toThrow(message);
  });

  test('fails with a layer of another region, where the region is known', () => {
    const context = { createExample: 'true', layerArn: ARN };
    expect(() => read(context, 'us-east-1')).toThrow(
      'is in eu-west-1, and the stack goes to us-east-1; use a layer of us-east-1, or set AWS_REGION=eu-west-1',
    );
    expect(() => read(context, undefined)).not.toThrow();
  });

  test('fails with a layer of this project for the other architecture', () => {
    const layerArn = `arn:aws:lambda:eu-west-1:123456789012:layer:deno-2_9_5-x86_64-${'a'.repeat(12)}:1`;
    expect(() => read({ createExample: 'true', layerArn })).toThrow('add -c architecture=x86_64');
  });

  test('fails with every problem in one message, the versions of npm included', async () => {
    const context = { architecture: 'amd64', denoVersion: '9.9.9', createExample: 'ja' };
    const options = {
      runtimes,
      layersDir: temporaryFolder(),
      packageVersions,
      vendorLookup: noVendor,
    };
    await expect(prepareStandalone(context, options)).rejects.toMatchObject({
      code: 'InvalidFlags',
      message: expect.stringMatching(
        /^context flags have 3 problems:\n {2}- architecture: .*\n {2}- createExample: .*\n {2}- denoVersion: .*"9\.9\.9" does not exist.*$/,
      ),
    });
  });
});
