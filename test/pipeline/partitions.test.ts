import { readFileSync } from 'node:fs';
import { App, Validations } from 'aws-cdk-lib';
import type { CloudFormationStackArtifact } from 'aws-cdk-lib/cx-api';
import { AwsSolutionsChecks } from 'cdk-nag';
import { context } from '../../cdk.json';
import { DeliveryPipelineStack } from '../../lib/pipeline';
import { releasePlan } from '../../lib/plan';
import { temporaryFolder } from '../temporary-folder';
import { planOf, rawConfig } from './fixture';
import { stacksOf } from './template-limits';

function inPartition(regions: readonly [string, string], source: object) {
  const [home] = regions;
  const raw = rawConfig();
  return planOf({
    ...raw,
    home: { ...raw.home, region: home },
    source: { branch: 'main', ...source },
    notifications: { emails: ['ops@example.com'] },
    monitoring: { dashboard: true },
    schedule: 'rate(7 days)',
    sharing: { with: 'accounts', accounts: ['444444444444'] },
    waves: raw.waves.map((wave: object) => ({ ...wave, regions, canary: { region: regions[1] } })),
  });
}

const PLANS = {
  'aws-us-gov': inPartition(['us-gov-east-1', 'us-gov-west-1'], {
    connectionArn:
      'arn:aws-us-gov:codeconnections:us-gov-east-1:999999999999:connection/00000000-0000-0000-0000-000000000000',
    repository: 'acme/runtime-layers',
  }),
  'aws-cn': inPartition(['cn-north-1', 'cn-northwest-1'], { repository: 'runtime-layers' }),
};

/** Service principals that IAM takes in every partition, China's included. */
const PRINCIPALS = /"Service":\s*(?:\[\s*)?(?:"[a-z]+\.amazonaws\.com"[\s,]*)+/;

describe.each(Object.entries(PLANS))('a pipeline in partition %s', (partition, plan) => {
  const app = new App({ context, outdir: temporaryFolder() });
  new DeliveryPipelineStack(app, 'Delivery', { plan });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  let stacks: CloudFormationStackArtifact[];
  const texts = () =>
    stacks.map(({ stackName, templateFullPath }) => ({
      stackName,
      text: readFileSync(templateFullPath, 'utf8'),
    }));

  beforeAll(() => {
    // Throws where cdk-nag finds something.
    stacks = stacksOf(app.synth());
  });

  test('has every stack: the pipeline, an artifact replica where it deploys, two for each wave', () => {
    const kinds = stacks.map(({ stackName }) => stackName.replace(/^layers-/, '')).sort();
    expect(kinds).toEqual([
      'delivery',
      // China has no CloudFormation actions that would take artifacts from there.
      ...(partition === 'aws-cn' ? [] : [expect.stringMatching(/^delivery-support-/)]),
      ...Array(2).fill('publish'),
      ...Array(2).fill('release'),
    ]);
  });

  test('names no ARN, domain or principal of another partition, in any template', () => {
    for (const { stackName, text } of texts()) {
      const arns = [...text.matchAll(/arn:(aws[a-z-]*):/g)].map(([, found]) => found);
      expect({ stackName, partitions: [...new Set(arns)] }).toEqual({
        stackName,
        partitions: arns.length > 0 ? [partition] : [],
      });
      const rest = text.replaceAll(new RegExp(PRINCIPALS, 'g'), '');
      expect({ stackName, domains: rest.match(/.{40}amazonaws\.com.{20}/g) ?? [] }).toEqual({
        stackName,
        domains: [],
      });
    }
    // Nothing above would notice templates without any.
    expect(texts().some(({ text }) => text.includes(`arn:${partition}:`))).toBe(true);
    expect(texts().some(({ text }) => PRINCIPALS.test(text))).toBe(true);
  });

  test('is started by pushes of the source that the partition has', () => {
    const delivery = stacks.find(({ stackName }) => stackName === 'layers-delivery');
    const resources = Object.values<{ Type: string; Properties: Record<string, never> }>(
      delivery?.template.Resources,
    );
    const [pipeline] = resources.filter(({ Type }) => Type === 'AWS::CodePipeline::Pipeline');
    const { Stages, Triggers = [] } = pipeline.Properties as unknown as {
      Stages: { Actions: { ActionTypeId: { Provider: string } }[] }[];
      Triggers?: unknown[];
    };
    const rules = JSON.stringify(resources.filter(({ Type }) => Type === 'AWS::Events::Rule'));
    const { Provider } = Stages[0].Actions[0].ActionTypeId;
    if (partition === 'aws-cn') {
      expect({ Provider, triggers: Triggers.length }).toEqual({
        Provider: 'CodeCommit',
        triggers: 0,
      });
      expect(rules).toContain('"source":["aws.codecommit"]');
    } else {
      expect({ Provider, triggers: Triggers.length }).toEqual({
        Provider: 'CodeStarSourceConnection',
        triggers: 1,
      });
    }
  });

  test('tells the publish and smoke actions ARNs of its own partition alone', () => {
    const text = JSON.stringify(releasePlan(plan));
    const partitions = [...text.matchAll(/arn:(aws[a-z-]*):/g)].map(([, found]) => found);
    expect(new Set(partitions)).toEqual(new Set([partition]));
  });

  test('builds for arm64 on the builder that there is, and leaves running it to the smoke test', () => {
    const delivery = stacks.find(({ stackName }) => stackName === 'layers-delivery');
    const builds = Object.values<{ Type: string; Properties: Record<string, unknown> }>(
      delivery?.template.Resources,
    )
      .filter(({ Type }) => Type === 'AWS::CodeBuild::Project')
      .map(({ Properties }) => ({
        type: (Properties.Environment as { Type: string }).Type,
        command: /npm run build:layers[^"]*/.exec(JSON.stringify(Properties.Source))?.[0],
      }))
      .filter(({ command }) => command);
    expect(builds.map(({ type }) => type)).toEqual(['LINUX_CONTAINER', 'LINUX_CONTAINER']);
    const checked = (architecture: string) =>
      builds.find(({ command }) => command?.includes(`--arch ${architecture}`))?.command;
    expect(checked('x86_64')).toContain('--check');
    expect(checked('arm64')).not.toContain('--check');
  });
});
