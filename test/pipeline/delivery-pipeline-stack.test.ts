import { Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { OVERRIDES_VARIABLE } from '../../lib/config';
import type { DeliveryPlan } from '../../lib/plan';
import { planOf, rawConfig } from './fixture';
import { layoutOf, stackOf, stagesOf } from './rendered';

describe('delivery pipeline', () => {
  const { app, stack } = stackOf();
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const template = Template.fromStack(stack);
  const stages = stagesOf(template);

  test('passes cdk-nag: every exception is acknowledged', () => {
    expect(() => app.synth()).not.toThrow();
  });

  test('has this layout', () => {
    expect(layoutOf(stages)).toMatchInlineSnapshot(`
"Source
  1 Source CodeStarSourceConnection
Build
  1 Build-arm64 CodeBuild
  1 Build-x86_64 CodeBuild
  2 Synth CodeBuild
UpdatePipeline
  1 SelfMutate CodeBuild
Publish
  1 Preflight CodeBuild
  2 Publish-zips CodeBuild
pilot-publish
  1 publish-888888888888-eu-west-1 CloudFormation eu-west-1
  1 publish-888888888888-us-east-1 CloudFormation
  2 Smoke-pilot CodeBuild
pilot-release
  1 release-888888888888-eu-west-1 CloudFormation eu-west-1
  1 release-888888888888-us-east-1 CloudFormation
production-approval
  1 Approve-production Manual
production-publish
  1 publish-777777777777-eu-west-1 CloudFormation eu-west-1
  1 publish-777777777777-us-east-1 CloudFormation
  2 Smoke-production CodeBuild
production-release
  1 release-777777777777-eu-west-1 CloudFormation eu-west-1
  1 release-777777777777-us-east-1 CloudFormation"
`);
  });

  test('retries what fails, but asks no person twice and takes a failed release back', () => {
    const onFailure = stages.map(({ Name, OnFailure }) => [
      Name,
      [OnFailure?.Result, OnFailure?.RetryConfiguration?.RetryMode].filter(Boolean).join(' '),
    ]);
    expect(Object.fromEntries(onFailure)).toEqual({
      Source: '',
      Build: 'RETRY FAILED_ACTIONS',
      UpdatePipeline: 'RETRY FAILED_ACTIONS',
      Publish: 'RETRY FAILED_ACTIONS',
      'pilot-publish': 'RETRY FAILED_ACTIONS',
      'pilot-release': 'ROLLBACK',
      'production-approval': '',
      'production-publish': 'RETRY FAILED_ACTIONS',
      'production-release': 'ROLLBACK',
    });
  });

  test('keeps the logs of every build for three months', () => {
    const groups = template.findResources('AWS::Logs::LogGroup', {
      Properties: { RetentionInDays: 90 },
    });
    const projects = Object.values(template.findResources('AWS::CodeBuild::Project'));
    expect(projects).toHaveLength(8);
    for (const { Properties } of projects) {
      const { Status, GroupName } = Properties.LogsConfig.CloudWatchLogs;
      expect(Status).toBe('ENABLED');
      expect(Object.keys(groups)).toContain(GroupName.Ref);
    }
  });

  test('notifies nobody unless it is told to', () => {
    template.resourceCountIs('AWS::SNS::Topic', 0);
    template.resourceCountIs('AWS::Events::Rule', 0);
  });

  test('is V2, queued and starts again after it has changed itself', () => {
    template.hasResourceProperties('AWS::CodePipeline::Pipeline', {
      PipelineType: 'V2',
      ExecutionMode: 'QUEUED',
      RestartExecutionOnUpdate: true,
    });
  });

  test('layer zips reach the publish action alone, never synth or a CloudFormation action', () => {
    const receivers = stages
      .flatMap(({ Actions }) => Actions)
      .filter(({ InputArtifacts }) =>
        InputArtifacts?.some(({ Name }) => /^Build_.*_Output$/.test(Name)),
      )
      .map(({ Name }) => Name);
    expect(receivers).toEqual(['Publish-zips']);
  });

  test('a target whose first deployment failed needs no person before the next one', () => {
    const deployments = stages
      .flatMap(({ Actions }) => Actions)
      .filter(({ ActionTypeId }) => ActionTypeId.Provider === 'CloudFormation');
    expect(deployments).toHaveLength(8);
    for (const { Name, Configuration } of deployments) {
      const mode = Name.startsWith('publish-') ? 'REPLACE_ON_FAILURE' : 'CREATE_UPDATE';
      expect(Configuration?.ActionMode).toBe(mode);
      expect(Configuration?.TemplatePath).toMatch(/^Synth_Output::/);
    }
  });

  test('the key of the artifacts rotates', () => {
    template.allResourcesProperties('AWS::KMS::Key', { EnableKeyRotation: true });
  });

  test('the artifact bucket is private, takes TLS only and forgets after 30 days', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      LifecycleConfiguration: { Rules: [Match.objectLike({ ExpirationInDays: 30 })] },
    });
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Deny',
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ]),
      },
    });
  });

  test('the smoke project of a wave may enter the smoke roles of its targets, and no other', () => {
    template.hasResourceProperties('AWS::IAM::Policy', {
      Roles: [{ Ref: Match.stringLikeRegexp('^layerssmokewavepilot') }],
      PolicyDocument: {
        Statement: Match.arrayWith([
          {
            Sid: 'EnterTargets',
            Effect: 'Allow',
            Action: 'sts:AssumeRole',
            Resource: [
              'arn:aws:iam::888888888888:role/layers-smoke-eu-west-1',
              'arn:aws:iam::888888888888:role/layers-smoke-us-east-1',
            ],
          },
        ]),
      },
    });
  });

  test('preflight may look at the targets and prove that publishing may enter them, no more', () => {
    template.hasResourceProperties('AWS::IAM::Policy', {
      Roles: [{ Ref: Match.stringLikeRegexp('^layerspreflight') }],
      PolicyDocument: {
        Statement: Match.arrayWith([
          {
            Sid: 'EnterTargets',
            Effect: 'Allow',
            Action: 'sts:AssumeRole',
            Resource: ['file-publishing', 'lookup']
              .flatMap((role) =>
                [
                  '777777777777-eu-west-1',
                  '777777777777-us-east-1',
                  '888888888888-eu-west-1',
                  '888888888888-us-east-1',
                ].map(
                  (place) =>
                    `arn:aws:iam::${place.slice(0, 12)}:role/cdk-hnb659fds-${role}-role-${place}`,
                ),
              )
              .sort(),
          },
        ]),
      },
    });
  });

  test('the approver reads what goes where', () => {
    const approval = stages
      .flatMap(({ Actions }) => Actions)
      .find(({ ActionTypeId }) => ActionTypeId.Provider === 'Manual');
    expect(approval?.Configuration?.CustomData).toMatch(
      /^Release the layers of execution #\{codepipeline\.PipelineExecutionId\} to wave production: 777777777777\/us-east-1, 777777777777\/eu-west-1\./,
    );
  });

  test('is started by pushes to the branch', () => {
    template.hasResourceProperties('AWS::CodePipeline::Pipeline', {
      Triggers: [
        {
          ProviderType: 'CodeStarSourceConnection',
          GitConfiguration: {
            SourceActionName: 'Source',
            Push: [{ Branches: { Includes: ['main'] } }],
          },
        },
      ],
    });
    const source = stages[0].Actions[0];
    expect(source.Name).toBe('Source');
    expect(source.Configuration?.DetectChanges).toBe(false);
  });
});

describe('delivery pipeline, configured otherwise', () => {
  test('new layers do not change its definition, so a release neither restarts it nor blocks rollback', () => {
    const of = (seed: string) =>
      Template.fromStack(stackOf({ plan: planOf(rawConfig(), seed) }).stack).toJSON();
    expect(of('b')).toEqual(of('a'));
  });

  test('the approver reads which targets are paused, and why', () => {
    const raw = rawConfig();
    raw.waves[1].paused = [{ region: 'eu-west-1', reason: 'regional outage', since: '2026-11-01' }];
    const stages = stagesOf(Template.fromStack(stackOf({ plan: planOf(raw) }).stack));
    const approval = stages
      .flatMap(({ Actions }) => Actions)
      .find(({ Name }) => Name === 'Approve-production');
    expect(approval?.Configuration?.CustomData).toContain(
      'Paused: 777777777777/eu-west-1 since 2026-11-01 (regional outage).',
    );
  });

  test('a target that was paused gets everything of the next release once it is resumed', () => {
    const raw = rawConfig();
    raw.waves[0].paused = [{ region: 'eu-west-1', reason: 'outage', since: '2026-11-01' }];
    const actionsIn = (plan: DeliveryPlan) =>
      stagesOf(Template.fromStack(stackOf({ plan }).stack))
        .flatMap(({ Actions }) => Actions)
        .filter(({ Name }) => Name.includes('888888888888-eu-west-1'));
    expect(actionsIn(planOf(raw, 'while paused'))).toEqual([]);
    raw.waves[0].paused = [];
    const resumed = planOf(raw, 'afterwards');
    expect(actionsIn(resumed)).toHaveLength(2);
    // Nothing of the pause is left: the stacks are those of a target that was never paused.
    expect(resumed).toEqual(planOf(rawConfig(), 'afterwards'));
    const { app } = stackOf({ plan: resumed });
    const [release] = app
      .synth()
      .nestedAssemblies.filter(({ id }) => id === 'assembly-Delivery-release_pilot')
      .flatMap(({ nestedAssembly }) => nestedAssembly.stacks);
    const parameters = Template.fromJSON(release.template).findResources('AWS::SSM::Parameter');
    expect(Object.keys(parameters)).toHaveLength(4 * resumed.layers.length);
  });

  test.each([
    ['publish', 'publish'],
    ['release', 'preflight'],
  ])('a pipeline named %s has room for a wave named %s', (name, wave) => {
    const raw = rawConfig();
    raw.name = name;
    raw.waves[0].name = wave;
    const names = stagesOf(Template.fromStack(stackOf({ plan: planOf(raw) }).stack)).map(
      ({ Name }) => Name,
    );
    expect(names).toEqual(expect.arrayContaining([`${wave}-publish`, `${wave}-release`]));
  });

  test('path filters reach the trigger', () => {
    const raw = rawConfig();
    raw.source.paths = { include: ['assets/**'], exclude: ['**/*.md'] };
    const template = Template.fromStack(stackOf({ plan: planOf(raw) }).stack);
    template.hasResourceProperties('AWS::CodePipeline::Pipeline', {
      Triggers: [
        {
          GitConfiguration: {
            Push: [{ FilePaths: { Includes: ['assets/**'], Excludes: ['**/*.md'] } }],
          },
        },
      ],
    });
  });

  test('one architecture needs one build action', () => {
    const raw = rawConfig();
    for (const runtime of raw.runtimes) runtime.architectures = ['arm64'];
    const stages = stagesOf(Template.fromStack(stackOf({ plan: planOf(raw) }).stack));
    expect(stages[1].Actions.map(({ Name }) => Name).sort()).toEqual(['Build-arm64', 'Synth']);
  });

  test('values that -c set reach the builds and synth, so self-mutation does not undo them', () => {
    const overrides = { 'source.branch': 'next' };
    const template = Template.fromStack(stackOf({ overrides }).stack);
    const carriers = Object.values(template.findResources('AWS::CodeBuild::Project')).filter(
      ({ Properties }) =>
        (Properties.Environment.EnvironmentVariables ?? []).some(
          (variable: { Name: string; Value: string }) =>
            variable.Name === OVERRIDES_VARIABLE && variable.Value === JSON.stringify(overrides),
        ),
    );
    const inActions = stagesOf(template)
      .flatMap(({ Actions }) => Actions)
      .filter(({ Configuration }) =>
        Configuration?.EnvironmentVariables?.includes(OVERRIDES_VARIABLE),
      );
    expect(carriers.length + inActions.length).toBe(3);
  });

  test('fails to deploy with the accounts of the example', () => {
    const { app } = stackOf({ refusals: ['delivery.home.account: put yours there'] });
    expect(() => app.synth()).toThrow(/put yours there/);
  });
});
