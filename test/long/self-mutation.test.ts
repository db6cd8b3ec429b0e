import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ReportExecution } from '../../lib/rehearsal/session/report';
import {
  Checkout,
  type RawConfig,
  readManifest,
  readTargets,
  shippedConfig,
  type TargetContent,
  targetsOf,
  valuesOf,
} from '../e2e/support';

const MINUTES = 60_000;
const NEW_REGION = 'ap-southeast-2';
const NEW_VERSION = '2.9.4';

/** The shipped configuration with one more region for the second wave and one more Deno. */
function grown(): RawConfig {
  const config = shippedConfig();
  return {
    ...config,
    runtimes: config.runtimes.map((runtime) =>
      runtime.name === 'deno'
        ? { ...runtime, versions: [...runtime.versions, NEW_VERSION] }
        : runtime,
    ),
    waves: config.waves.map((wave) =>
      wave.name === 'production' ? { ...wave, regions: [...wave.regions, NEW_REGION] } : wave,
    ),
  };
}

describe('the shipped configuration, and a push that changes it', () => {
  let checkout: Checkout;
  let before: TargetContent[];

  beforeAll(() => {
    checkout = Checkout.create();
    // Nobody built the new version here: what is known of it comes from the pipeline.
    const layers = join(checkout.root, 'dist/layers');
    mkdirSync(layers, { recursive: true });
    for (const name of readdirSync(layers)) {
      if (name.includes(NEW_VERSION.replaceAll('.', '_'))) rmSync(join(layers, name));
    }
  });

  afterAll(() => checkout?.dispose(), 2 * MINUTES);

  test(
    'every target records the ARN of every layer, with the bytes that its manifest names',
    async () => {
      const { code, report } = await checkout.start('--keep').reported();
      expect({ code, problems: report.problems }).toEqual({ code: 0, problems: [] });

      const config = shippedConfig();
      const layers = config.runtimes.flatMap(({ name, versions, architectures }) =>
        versions.flatMap((version) =>
          architectures.map((architecture) => ({ runtime: name, version, architecture })),
        ),
      );
      expect(
        report.layers.map(({ runtime, version, architecture }) => ({
          runtime,
          version,
          architecture,
        })),
      ).toEqual(expect.arrayContaining(layers));
      expect(report.layers).toHaveLength(layers.length);

      before = await readTargets(checkout, targetsOf(config));
      expect(report.targets.map(({ parameters }) => parameters)).toEqual(before.map(valuesOf));
      for (const target of before) {
        for (const { name, runtime, architecture, version } of report.layers) {
          const { codeSha256, digest } = readManifest(checkout, name);
          const arn = `arn:aws:lambda:${target.region}:${target.account}:layer:${name}:1`;
          const prefix = `/layers/${runtime}/${architecture}`;
          const values = valuesOf(target);
          for (const key of ['latest', version, version.split('.')[0]]) {
            expect(values[`${prefix}/${key}`]).toBe(arn);
          }
          expect(JSON.parse(values[`${prefix}/releases/${digest}`])).toMatchObject({ arn });
          expect(target.layers[arn].codeSha256).toBe(codeSha256);
        }
        expect(Object.keys(target.layers)).toHaveLength(layers.length);
        expect(Object.keys(target.parameters)).toHaveLength(4 * layers.length);
      }
      for (const { smoke } of report.targets) {
        expect(smoke.map(({ layer, ok }) => ({ layer, ok }))).toEqual(
          report.layers.map(({ name }) => ({ layer: name, ok: true })),
        );
      }
    },
    8 * MINUTES,
  );

  test(
    'a change of the configuration updates the pipeline, and publishes only what is new',
    async () => {
      const after = checkout.write('after.json', grown());
      const { code, report } = await checkout.start('--keep', '--after', after).reported();
      expect({ code, problems: report.problems }).toEqual({ code: 0, problems: [] });

      // The first push changes nothing; the second one's execution ends at the pipeline's own update.
      expect(report.executions.map(({ trigger, status }) => ({ trigger, status }))).toEqual([
        { trigger: 'Push', status: 'Succeeded' },
        { trigger: 'Push', status: 'Cancelled' },
        { trigger: 'PipelineUpdate', status: 'Succeeded' },
      ]);
      const [, cancelled, restarted] = report.executions;
      expect(restarted.commit).toBe(cancelled.commit);
      expect(cancelled.stages.map(({ name }) => name)).toEqual([
        'Source',
        'Build',
        'UpdatePipeline',
      ]);
      expect(deploymentsTo(cancelled, NEW_REGION)).toEqual([]);
      expect(deploymentsTo(restarted, NEW_REGION)).toHaveLength(2);

      const added = report.layers.filter(({ version }) => version === NEW_VERSION);
      expect(added.map(({ architecture }) => architecture).sort()).toEqual(['arm64', 'x86_64']);
      const contents = await readTargets(checkout, targetsOf(grown()));
      for (const target of contents) {
        const known = before.find(
          ({ account, region }) => account === target.account && region === target.region,
        );
        const { published, changedParameters } = report.targets.find(
          ({ account, region }) => account === target.account && region === target.region,
        ) as (typeof report.targets)[number];
        const arns = (known ? added : report.layers).map(
          ({ name }) => `arn:aws:lambda:${target.region}:${target.account}:layer:${name}:1`,
        );
        expect(published).toEqual([...arns].sort());
        expect(Object.keys(target.layers).sort()).toEqual(
          [...Object.keys(known?.layers ?? {}), ...arns].sort(),
        );
        for (const { name, codeSha256 } of report.layers) {
          const arn = `arn:aws:lambda:${target.region}:${target.account}:layer:${name}:1`;
          expect(target.layers[arn].codeSha256).toBe(codeSha256);
        }
        // Deno 2.9.5 stays the newest: what there was is as it was, versions of parameters included.
        expect(target.parameters).toMatchObject(known?.parameters ?? {});
        expect(changedParameters).toEqual(
          Object.keys(target.parameters)
            .filter((name) => !(name in (known?.parameters ?? {})))
            .sort(),
        );
        expect(target.parameters).toHaveProperty([`/layers/deno/arm64/${NEW_VERSION}`]);
      }
    },
    12 * MINUTES,
  );

  test(
    'a branch that no pipeline takes yet is deployed by hand; what left the configuration is gone',
    async () => {
      const config = shippedConfig();
      const other = checkout.write('other.json', {
        ...config,
        source: { ...config.source, branch: 'next' },
        runtimes: config.runtimes.filter(({ name }) => name === 'deno'),
      });
      const { code, report } = await checkout.start('--keep', '--config', other).reported();
      expect({ code, problems: report.problems }).toEqual({ code: 0, problems: [] });
      expect(report.parts.map(({ name }) => name)).toContain('cdk deploy of the pipeline');
      expect(report.executions.map(({ trigger, status }) => ({ trigger, status }))).toEqual([
        { trigger: 'PipelineUpdate', status: 'Succeeded' },
      ]);
      for (const { parameters } of report.targets) {
        expect(Object.keys(parameters).filter((name) => !name.startsWith('/layers/deno/'))).toEqual(
          [],
        );
        expect(parameters).not.toHaveProperty([`/layers/deno/arm64/${NEW_VERSION}`]);
      }
    },
    6 * MINUTES,
  );
});

function deploymentsTo({ stages }: ReportExecution, region: string): string[] {
  return stages.flatMap(({ actions }) =>
    actions
      .filter((action) => action.category === 'Deploy' && action.region === region)
      .map(({ name }) => name),
  );
}
