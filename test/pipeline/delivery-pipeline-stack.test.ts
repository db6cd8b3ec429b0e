import { App, Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { context } from '../../cdk.json';
import { OVERRIDES_VARIABLE } from '../../lib/config';
import { DeliveryPipelineStack, type DeliveryPipelineStackProps } from '../../lib/pipeline';
import { type DeliveryPlan, planStages } from '../../lib/plan';
import { planOf, rawConfig } from './fixture';

function stackOf(props: Partial<DeliveryPipelineStackProps> = {}) {
  const app = new App({ context });
  const stack = new DeliveryPipelineStack(app, 'Delivery', { plan: planOf(), ...props });
  return { app, stack };
}

interface Action {
  Name: string;
  RunOrder: number;
  Region?: string;
  ActionTypeId: { Provider: string };
  InputArtifacts?: { Name: string }[];
  Configuration?: Record<string, string>;
}
interface Stage {
  Name: string;
  OnFailure?: { Result: string; RetryConfiguration?: { RetryMode: string } };
  Actions: Action[];
}

function stagesOf(template: Template): Stage[] {
  const [pipeline] = Object.values(template.findResources('AWS::CodePipeline::Pipeline'));
  return pipeline.Properties.Stages;
}

/** Stages, and actions with run order, provider and region. */
function layoutOf(stages: Stage[]): string {
  const lines = stages.flatMap(({ Name, Actions }) => [
    Name,
    ...Actions.map(
      ({ RunOrder, Name, ActionTypeId, Region }) =>
        `  ${RunOrder} ${Name} ${ActionTypeId.Provider}${Region ? ` ${Region}` : ''}`,
    ).sort(),
  ]);
  return lines.join('\n');
}

/** What the plan says of the same stages, without provider and region. */
function plannedLayout(plan: DeliveryPlan): string[][] {
  return planStages(plan).map(({ name, actions }) => [
    name,
    ...actions.map((action) => `${action.runOrder} ${action.name}`).sort(),
  ]);
}

function renderedLayout(stages: Stage[]): string[][] {
  return stages.map(({ Name, Actions }) => [
    Name,
    ...Actions.map((action) => `${action.RunOrder} ${action.Name}`).sort(),
  ]);
}

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
      '1 publish-888888888888-us-east-1.layers-publish.Deploy',
      '2 Smoke-pilot',
    ]);
  });

  test('the CDK CLI deploys their stacks out of the cloud assembly', () => {
    const specs = Object.values(template.findResources('AWS::CodeBuild::Project')).map(
      ({ Properties }) => String(Properties.Source.BuildSpec),
    );
    const [spec] = specs.filter(
      (text) => text.includes('Release-remote') || /deploy .*publish-/.test(text),
    );
    expect(JSON.parse(spec).phases.build.commands).toEqual([
      "cdk -a . deploy --require-approval never --method direct --progress events --concurrency 2 'Delivery/publish-888888888888-ca-west-1/Layers' 'Delivery/publish-888888888888-mx-central-1/Layers'",
    ]);
  });

  test('its role may assume the bootstrap roles of just these targets', () => {
    const statements = Object.values(template.findResources('AWS::IAM::Policy'))
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
      .filter(({ Sid }) => Sid === 'DeployToTargets');
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
    expect(() => app.synth()).not.toThrow();
  });
});

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
  1 publish-888888888888-eu-west-1.layers-publish.Deploy CloudFormation eu-west-1
  1 publish-888888888888-us-east-1.layers-publish.Deploy CloudFormation
  2 Smoke-pilot CodeBuild
pilot-release
  1 release-888888888888-eu-west-1.layers-release.Deploy CloudFormation eu-west-1
  1 release-888888888888-us-east-1.layers-release.Deploy CloudFormation
production-approval
  1 Approve-production Manual
production-publish
  1 publish-777777777777-eu-west-1.layers-publish.Deploy CloudFormation eu-west-1
  1 publish-777777777777-us-east-1.layers-publish.Deploy CloudFormation
  2 Smoke-production CodeBuild
production-release
  1 release-777777777777-eu-west-1.layers-release.Deploy CloudFormation eu-west-1
  1 release-777777777777-us-east-1.layers-release.Deploy CloudFormation"
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

describe('delivery pipeline, in steps', () => {
  const accounts = Array.from({ length: 46 }, (_, index) => String(700000000000 + index));
  const raw = {
    ...rawConfig(),
    runtimes: [{ name: 'deno', versions: ['2.9.5'], architectures: ['arm64'] }],
    waves: [
      { name: 'single', accounts: ['888888888888'], regions: ['eu-west-1'] },
      {
        name: 'wide',
        accounts,
        regions: ['us-east-1'],
        approval: true,
        canary: { region: 'us-east-1' },
      },
    ],
  };
  const plan = planOf(raw);
  const template = Template.fromStack(stackOf({ plan }).stack);
  const stages = stagesOf(template);

  test('has the stages and actions that the plan names', () => {
    expect(renderedLayout(stages)).toEqual(plannedLayout(plan));
    expect(stages.map(({ Name, Actions }) => `${Name} ${Actions.length}`)).toEqual([
      'Source 1',
      'Build 2',
      'UpdatePipeline 1',
      'Publish 2',
      'single-publish 2',
      'single-release 1',
      'wide-approval 1',
      'wide-canary 2',
      'wide-publish-1 23',
      'wide-publish-2 23',
      'wide-release-1 23',
      'wide-release-2 23',
    ]);
  });

  test('tests the canary alone before the others are touched, and the whole wave before its release', () => {
    const projects = Object.values(template.findResources('AWS::CodeBuild::Project'));
    const commands = projects.flatMap(({ Properties }) =>
      (Properties.Source.BuildSpec.match?.(/node tools\.cjs smoke [^"]*/) ?? []).map(String),
    );
    expect(commands.sort()).toEqual([
      'node tools.cjs smoke --plan release.json --wave single --concurrency 1',
      `node tools.cjs smoke --plan release.json --wave wide --concurrency 32`,
      `node tools.cjs smoke --plan release.json --wave wide --only ${accounts[0]}/us-east-1 --concurrency 1`,
    ]);
  });

  test('replaces failed publish stacks in every step, also in that of a single target', () => {
    const modes = stages
      .flatMap(({ Actions }) => Actions)
      .filter(({ Name }) => Name.startsWith('publish-'))
      .map(({ Configuration }) => Configuration?.ActionMode);
    expect(modes).toEqual(Array(47).fill('REPLACE_ON_FAILURE'));
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
      .nestedAssemblies.filter(
        ({ id }) => id === 'assembly-Delivery-release-888888888888-eu-west-1',
      )
      .flatMap(({ nestedAssembly }) => nestedAssembly.stacks);
    const parameters = Template.fromJSON(release.template).findResources('AWS::SSM::Parameter');
    expect(Object.keys(parameters)).toHaveLength(4 * resumed.layers.length);
  });

  describe('with notifications', () => {
    const raw = { ...rawConfig(), notifications: { emails: ['ops@example.com'] } };
    const { app, stack } = stackOf({ plan: planOf(raw) });
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    const template = Template.fromStack(stack);

    test('passes cdk-nag', () => {
      expect(() => app.synth()).not.toThrow();
    });

    test('tells the topic of failed executions and of approvals that wait, of this pipeline alone', () => {
      const rules = Object.values(template.findResources('AWS::Events::Rule'));
      expect(rules.map(({ Properties }) => Properties.EventPattern)).toEqual([
        {
          source: ['aws.codepipeline'],
          'detail-type': ['CodePipeline Pipeline Execution State Change'],
          detail: { pipeline: ['layers'], state: ['FAILED'] },
        },
        {
          source: ['aws.codepipeline'],
          'detail-type': ['CodePipeline Action Execution State Change'],
          detail: {
            pipeline: ['layers'],
            state: ['STARTED'],
            type: { category: ['Approval'] },
          },
        },
      ]);
      const [topic] = Object.keys(template.findResources('AWS::SNS::Topic'));
      for (const { Properties } of rules) {
        expect(Properties.Targets).toEqual([expect.objectContaining({ Arn: { Ref: topic } })]);
      }
      template.hasResourceProperties('AWS::SNS::Subscription', {
        Protocol: 'email',
        Endpoint: 'ops@example.com',
        TopicArn: { Ref: topic },
      });
    });

    test('encrypts the topic with a key that the rules may use, and takes TLS only', () => {
      template.hasResourceProperties('AWS::SNS::Topic', {
        TopicName: 'layers-notifications',
        KmsMasterKeyId: Match.anyValue(),
      });
      template.hasResourceProperties('AWS::KMS::Key', {
        EnableKeyRotation: true,
        KeyPolicy: {
          Statement: Match.arrayWith([
            Match.objectLike({
              Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
              Principal: { Service: 'events.amazonaws.com' },
              Condition: { StringEquals: { 'aws:SourceAccount': '999999999999' } },
            }),
          ]),
        },
      });
      template.hasResourceProperties('AWS::SNS::TopicPolicy', {
        PolicyDocument: {
          Statement: Match.arrayWith([
            Match.objectLike({
              Effect: 'Deny',
              Condition: { Bool: { 'aws:SecureTransport': 'false' } },
            }),
            Match.objectLike({
              Effect: 'Allow',
              Action: 'sns:Publish',
              Principal: { Service: 'events.amazonaws.com' },
            }),
          ]),
        },
      });
    });
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
