import { basename, join } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AssetManifestArtifact, CloudAssembly } from 'aws-cdk-lib/cx-api';
import { AwsSolutionsChecks } from 'cdk-nag';
import { context } from '../../cdk.json';
import { DeliveryPipelineStack } from '../../lib/pipeline';
import { temporaryFolder } from '../temporary-folder';
import { planOf, rawConfig } from './fixture';
import { plannedLayout, renderedLayout, stackOf, stagesOf } from './rendered';

describe('delivery pipeline with regions that have no CodePipeline', () => {
  const raw = rawConfig();
  raw.waves[0].regions = ['us-east-1', 'ca-west-1', 'mx-central-1'];
  const plan = planOf(raw);
  const { app, stack } = stackOf({ plan });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const template = Template.fromStack(stack);
  const stages = stagesOf(template);

  test('renders the plan: one action deploys to them, beside the other deployments', () => {
    expect(renderedLayout(stages)).toEqual(plannedLayout(plan));
    const { Actions = [] } = stages.find(({ Name }) => Name === 'pilot-publish') ?? {};
    expect(Actions.map(({ RunOrder, Name }) => `${RunOrder} ${Name}`).sort()).toEqual([
      '1 Publish-remote-pilot',
      '1 publish-888888888888-us-east-1',
      '2 Smoke-pilot',
    ]);
  });

  test('the CDK CLI deploys their stacks out of the cloud assembly', () => {
    const specs = Object.values(template.findResources('AWS::CodeBuild::Project')).map(
      ({ Properties }) => String(Properties.Source.BuildSpec),
    );
    const [spec] = specs.filter((text) => text.includes('Publish-remote-pilot'));
    expect(JSON.parse(spec).phases.build.commands).toEqual([
      'cdk -a Publish-remote-pilot deploy --all --require-approval never --method direct --progress events --concurrency 2',
    ]);
  });

  test('the assembly of an action has a stack for each target, all of the template of its wave', () => {
    const { directory } = app.synth();
    const own = new CloudAssembly(join(directory, 'Publish-remote-pilot'));
    const [shared] = app.synth().getNestedAssembly('assembly-Delivery-publish_pilot').stacks;
    expect(own.stacks.map(({ hierarchicalId }) => hierarchicalId)).toEqual([
      'Delivery/publish-888888888888-ca-west-1/Layers',
      'Delivery/publish-888888888888-mx-central-1/Layers',
    ]);
    for (const stack of own.stacks) {
      const { account, region } = stack.environment;
      // The CDK CLI tells a resource that failed by its path: that is the target's.
      const [, path] = stack.hierarchicalId.split('/');
      const filled = JSON.stringify(shared.template).replaceAll('/publish_pilot/', `/${path}/`);
      expect(stack.template).toEqual(JSON.parse(filled));
      expect(path).toBe(`publish-${account}-${region}`);
      expect(stack.stackName).toBe(shared.stackName);
      const role = (name: string) =>
        `arn:\${AWS::Partition}:iam::${account}:role/cdk-hnb659fds-${name}-role-${account}-${region}`;
      expect(stack.assumeRoleArn).toBe(role('deploy'));
      expect(stack.cloudFormationExecutionRoleArn).toBe(role('cfn-exec'));
      const [assets] = stack.dependencies.filter(AssetManifestArtifact.isAssetManifestArtifact);
      const [file, ...others] = Object.values(assets.contents.files ?? {});
      expect(others).toEqual([]);
      expect(file.source.path).toBe(basename(stack.templateFullPath));
      expect(Object.values(file.destinations)).toEqual([
        {
          bucketName: `cdk-hnb659fds-assets-${account}-${region}`,
          objectKey: expect.stringMatching(/^[0-9a-f]{64}\.json$/),
          region,
          assumeRoleArn: role('file-publishing'),
        },
      ]);
    }
  });

  test('its role may assume the bootstrap roles of just these targets', () => {
    const statements = Object.values(template.findResources('AWS::IAM::Policy'))
      .filter(({ Properties }) => /remotepilot/.test(Properties.Roles[0].Ref))
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
      .filter(({ Sid }) => Sid === 'EnterTargets');
    expect(statements).toHaveLength(2);
    const role = (name: string, region: string) =>
      `arn:aws:iam::888888888888:role/cdk-hnb659fds-${name}-role-888888888888-${region}`;
    for (const { Action, Resource } of statements) {
      expect(Action).toBe('sts:AssumeRole');
      expect(Resource).toEqual([
        role('deploy', 'ca-west-1'),
        role('deploy', 'mx-central-1'),
        role('file-publishing', 'ca-west-1'),
        role('file-publishing', 'mx-central-1'),
      ]);
    }
  });

  test('needs no artifact store there', () => {
    const regions = stages.flatMap(({ Actions }) => Actions.flatMap(({ Region }) => Region ?? []));
    expect(new Set(regions)).toEqual(new Set(['eu-west-1']));
  });

  test('passes cdk-nag', () => {
    expect(() => app.synth({ force: true })).not.toThrow();
  });
});

test('what is configured stays as it is, even where it reads like the path of a construct', () => {
  const raw = rawConfig();
  raw.namespace = '/Delivery/release_pilot';
  raw.waves[0].regions = ['us-east-1', 'ca-west-1'];
  // As the CDK CLI synthesizes it.
  const paths = { 'aws:cdk:enable-path-metadata': true };
  const app = new App({ context: { ...context, ...paths }, outdir: temporaryFolder() });
  new DeliveryPipelineStack(app, 'Delivery', { plan: planOf(raw) });
  const { directory } = app.synth();
  const [{ template }] = new CloudAssembly(join(directory, 'Release-remote-pilot')).stacks;
  const names = Object.values(Template.fromJSON(template).findResources('AWS::SSM::Parameter')).map(
    ({ Properties, Metadata }) => [Properties.Name, Metadata['aws:cdk:path']],
  );
  expect(names).toHaveLength(16);
  for (const [name, path] of names) {
    expect(name).toMatch(/^\/Delivery\/release_pilot\/(deno|node)\//);
    expect(path).toMatch(/^Delivery\/release-888888888888-ca-west-1\/Release\//);
  }
});
