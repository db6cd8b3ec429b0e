import {
  CloudFormationClient,
  DescribeStacksCommand,
  ListStackResourcesCommand,
  type ResourceStatus,
  type StackStatus,
} from '@aws-sdk/client-cloudformation';
import {
  GetAccountSettingsCommand,
  LambdaClient,
  ListLayerVersionsCommand,
} from '@aws-sdk/client-lambda';
import {
  DescribeParametersCommand,
  GetParameterCommand,
  GetServiceSettingCommand,
  ParameterNotFound,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { mockClient } from 'aws-sdk-client-mock';
import { planParameters } from '../../lib/plan';
import { preflight, preflightError } from '../../lib/preflight';
import { awsError, HOME, OTHER, plan, SESSION } from '../publish/fixture';

const sts = mockClient(STSClient);
const lambda = mockClient(LambdaClient);
const ssm = mockClient(SSMClient);
const cloudFormation = mockClient(CloudFormationClient);

const release = plan([
  [HOME, 'eu-west-1'],
  [OTHER, 'eu-west-1'],
  [OTHER, 'af-south-1'],
]);
const [, , far] = release.targets;
const policies = '--cloudformation-execution-policies';
const administrator = `${policies} arn:aws:iam::aws:policy/AdministratorAccess`;

const run = (of = release) => preflight({ plan: of });
const problemsOf = async (of = release) =>
  (await run(of)).map(({ account, region, problems }) => [`${account}/${region}`, problems]);

/** Only the target in Africa is answered otherwise. */
const inAfrica =
  (answer: () => unknown, usual: unknown) =>
  async (_input: unknown, client: () => { config: { region(): Promise<string> } }) =>
    (await client().config.region()) === 'af-south-1' ? answer() : usual;

const settings = (left: number) => ({
  AccountLimit: { TotalCodeSize: 1000 },
  AccountUsage: { TotalCodeSize: 1000 - left },
});

beforeEach(() => {
  sts.reset();
  lambda.reset();
  ssm.reset();
  cloudFormation.reset();
  sts.on(GetCallerIdentityCommand).resolves({ Account: HOME });
  sts.on(AssumeRoleCommand).resolves(SESSION);
  lambda.on(GetAccountSettingsCommand).resolves(settings(1000));
  lambda.on(ListLayerVersionsCommand).resolves({ LayerVersions: [] });
  ssm.on(GetParameterCommand).resolves({ Parameter: { Value: '28' } });
  ssm.on(DescribeParametersCommand).resolves({ Parameters: [] });
  cloudFormation.on(ListStackResourcesCommand).resolves({ StackResourceSummaries: [] });
  cloudFormation
    .on(DescribeStacksCommand)
    .rejects(awsError('ValidationError', 'Stack with id layers-release does not exist'));
});

test('finds nothing wrong with targets that are ready', async () => {
  const targets = await run();
  expect(targets.map(({ problems }) => problems)).toEqual([[], [], []]);
  expect(preflightError(targets)).toBeUndefined();
  const assumed = sts.commandCalls(AssumeRoleCommand).map(({ args: [{ input }] }) => input.RoleArn);
  expect(assumed.sort()).toEqual(
    release.targets
      .flatMap(({ lookupRoleArn, publishRoleArn }) => [lookupRoleArn, publishRoleArn])
      .sort(),
  );
  expect(ssm.commandCalls(GetParameterCommand)[0].args[0].input.Name).toBe(
    '/cdk-bootstrap/hnb659fds/version',
  );
});

test('changes nothing: it only gets, lists, describes and assumes', async () => {
  await run();
  const names = [sts, lambda, ssm, cloudFormation].flatMap((client) =>
    client.calls().map(({ args: [command] }) => command.constructor.name),
  );
  for (const name of names) expect(name).toMatch(/^(Get|List|Describe|Assume)/);
});

test('fails for every target at once, each with its cure', async () => {
  sts
    .on(AssumeRoleCommand, { RoleArn: release.targets[1].publishRoleArn })
    .rejects(awsError('AccessDenied', 'no trust', 403));
  ssm
    .on(GetParameterCommand)
    .callsFake(inAfrica(() => ({ Parameter: { Value: '5' } }), { Parameter: { Value: '28' } }));
  const targets = await run();
  expect(preflightError(targets)).toMatchObject({
    code: 'PreflightFailed',
    message: `2 of 3 targets are not ready, nothing was sent to any; put them right, or pause them in cdk.json:
  ${OTHER}/eu-west-1: sts:AssumeRole on ${release.targets[1].publishRoleArn} is denied: no trust; bootstrap the target: npx cdk bootstrap aws://${OTHER}/eu-west-1 --trust ${HOME} ${administrator} (where it is bootstrapped already, repeat --trust for each account that it trusts, and leave ${policies} out to keep its own)
  ${OTHER}/af-south-1: bootstrap version is 5, at least 8 is needed; update it: npx cdk bootstrap aws://${OTHER}/af-south-1`,
  });
});

test('fails for more than one thing in one target', async () => {
  sts
    .on(AssumeRoleCommand, { RoleArn: far.publishRoleArn })
    .rejects(awsError('AccessDenied', 'no trust', 403));
  ssm
    .on(GetParameterCommand)
    .callsFake(inAfrica(() => ({ Parameter: { Value: '5' } }), { Parameter: { Value: '28' } }));
  const [, , [, problems]] = await problemsOf();
  expect(problems).toEqual([
    expect.stringContaining(`sts:AssumeRole on ${far.publishRoleArn} is denied`),
    expect.stringContaining('bootstrap version is 5'),
  ]);
});

test('fails with the exact command for a qualifier of one’s own, without trust at home', async () => {
  ssm.on(GetParameterCommand).rejects(new ParameterNotFound({ message: 'none', $metadata: {} }));
  const own = {
    ...release,
    targets: [{ ...release.targets[0], bucket: `cdk-mine1-assets-${HOME}-eu-west-1` }],
  };
  expect(await problemsOf(own)).toEqual([
    [
      `${HOME}/eu-west-1`,
      [
        `parameter /cdk-bootstrap/mine1/version does not exist; bootstrap the target: npx cdk bootstrap aws://${HOME}/eu-west-1 --qualifier mine1 --toolkit-stack-name CDKToolkit-mine1 ${administrator} (where it is bootstrapped already, leave ${policies} out to keep its own)`,
      ],
    ],
  ]);
});

test('fails for a region that is not enabled, and says how to enable it', async () => {
  lambda.on(GetAccountSettingsCommand).callsFake(
    inAfrica(() => {
      throw awsError('UnrecognizedClientException', 'the security token is invalid');
    }, settings(1000)),
  );
  const [, , [, problems]] = await problemsOf();
  expect(problems).toEqual([
    expect.stringMatching(
      new RegExp(
        `^region af-south-1 is not enabled in account ${OTHER}: .*aws account enable-region --region-name af-south-1`,
      ),
    ),
  ]);
});

describe('a release stack', () => {
  const isIn = (StackStatus: StackStatus, region = 'af-south-1') => {
    cloudFormation.on(DescribeStacksCommand, { StackName: 'layers-release' }).resolves({
      Stacks: [{ StackName: 'layers-release', CreationTime: new Date(), StackStatus }],
    });
    return problemsOf({ ...release, targets: [{ ...far, region }] });
  };
  const at = (region: string) => `--stack-name layers-release --region ${region}`;

  test.each(['CREATE_COMPLETE', 'UPDATE_ROLLBACK_COMPLETE', 'UPDATE_IN_PROGRESS'] as const)(
    'may be %s',
    async (status) => {
      expect(await isIn(status)).toEqual([[expect.anything(), []]]);
    },
  );

  test.each(['ROLLBACK_COMPLETE', 'ROLLBACK_FAILED', 'DELETE_FAILED'] as const)(
    'that is %s has to be deleted first',
    async (status) => {
      expect(await isIn(status)).toEqual([
        [
          expect.anything(),
          [
            `stack layers-release is ${status}, which no release can change; delete it: aws cloudformation delete-stack ${at('af-south-1')}`,
          ],
        ],
      ]);
    },
  );

  test('that cannot go back has to go on first', async () => {
    expect(await isIn('UPDATE_ROLLBACK_FAILED')).toEqual([
      [
        expect.anything(),
        [
          `stack layers-release is UPDATE_ROLLBACK_FAILED, which no release can change; let it go back: aws cloudformation continue-update-rollback ${at('af-south-1')}`,
        ],
      ],
    ]);
  });

  test('is made anew by the CDK CLI where there is no CodePipeline', async () => {
    expect(await isIn('ROLLBACK_COMPLETE', 'ca-west-1')).toEqual([[expect.anything(), []]]);
    expect(await isIn('DELETE_FAILED', 'ca-west-1')).toEqual([
      [expect.anything(), [expect.stringContaining(`delete-stack ${at('ca-west-1')}`)]],
    ]);
  });

  test.each([
    ['UPDATE_ROLLBACK_FAILED', 'continue-update-rollback'],
    ['DELETE_FAILED', 'delete-stack'],
    ['CREATE_FAILED', 'delete-stack'],
    ['ROLLBACK_COMPLETE', undefined],
  ] as const)(
    'for publishing that is %s has to be put right where there is no CodePipeline',
    async (StackStatus, cure) => {
      const StackName = 'layers-publish';
      cloudFormation.on(DescribeStacksCommand, { StackName }).resolves({
        Stacks: [{ StackName, CreationTime: new Date(), StackStatus }],
      });
      const targets = [far, { ...far, region: 'ca-west-1' }];
      const said = `stack ${StackName} is ${StackStatus}, which no release can change; `;
      const cured = `aws cloudformation ${cure} --stack-name ${StackName} --region ca-west-1`;
      expect(await problemsOf({ ...release, targets })).toEqual([
        [expect.anything(), []],
        [expect.anything(), cure ? [expect.stringMatching(`^${said}.*${cured}$`)] : []],
      ]);
    },
  );

  test('that may not be looked at is a problem', async () => {
    cloudFormation.on(DescribeStacksCommand).rejects(awsError('AccessDenied', 'no', 403));
    const [[, problems]] = await problemsOf();
    expect(problems).toEqual([expect.stringContaining('cloudformation:DescribeStacks')]);
  });
});

describe('parameters of the release', () => {
  const near = { ...release, targets: [far] };
  const planned = planParameters('/layers', far, release.layers);
  const latest = '/layers/deno/arm64/latest';
  const Type = 'AWS::SSM::Parameter';
  const at = '--region af-south-1';

  const problems = async (
    StackStatus: StackStatus | undefined,
    held: readonly (readonly [string, ResourceStatus?, string?])[],
    existing: readonly string[],
  ) => {
    const Stacks = [{ StackName: 'layers-release', CreationTime: new Date(), StackStatus }];
    if (StackStatus) cloudFormation.on(DescribeStacksCommand).resolves({ Stacks });
    const summaries = held.map(([id, ResourceStatus = 'CREATE_COMPLETE', ResourceType = Type]) => ({
      ...{ LogicalResourceId: 'A', PhysicalResourceId: id, LastUpdatedTimestamp: new Date() },
      ...{ ResourceStatus, ResourceType },
    }));
    cloudFormation
      .on(ListStackResourcesCommand)
      .callsFake(async ({ NextToken }) =>
        NextToken
          ? { StackResourceSummaries: summaries.slice(1) }
          : { StackResourceSummaries: summaries.slice(0, 1), NextToken: 'more' },
      );
    ssm.on(DescribeParametersCommand).resolves({ Parameters: existing.map((Name) => ({ Name })) });
    const [[, found]] = await problemsOf(near);
    return found;
  };
  const names = planned.map(({ name }) => name);
  const all = names.map((name) => [name] as const);

  test('may be there, be new, be dropped, or be none of its business', async () => {
    expect(await problems('UPDATE_COMPLETE', all, [...names, '/layers/other'])).toEqual([]);
    expect(await problems('UPDATE_COMPLETE', [], [])).toEqual([]);
    expect(await problems('UPDATE_COMPLETE', [['/layers/bun/arm64/1']], [])).toEqual([]);
    expect(await problems('UPDATE_COMPLETE', [[latest, 'DELETE_COMPLETE']], [])).toEqual([]);
    expect(await problems('UPDATE_COMPLETE', [['b', undefined, 'Other']], [])).toEqual([]);
    expect(await problems('UPDATE_IN_PROGRESS', [], names)).toEqual([]);
  });

  test('fail where one of the stack was deleted, with the value of a layer that is released', async () => {
    const rest = names.filter((name) => name !== latest);
    expect(await problems('UPDATE_COMPLETE', all, rest)).toEqual([
      `parameter ${latest} of stack layers-release was deleted, and CloudFormation cannot change it; make it again: aws ssm put-parameter ${at} --type String --name ${latest} --value '${planned.find(({ name }) => name === latest)?.value}'`,
    ]);
    expect(await problems('UPDATE_COMPLETE', [[latest]], [])).toEqual([
      `parameter ${latest} of stack layers-release was deleted, and CloudFormation cannot change it; make it again, with any value: aws ssm put-parameter ${at} --type String --name ${latest} --value 'lost'`,
    ]);
  });

  test('fail where one that the stack has to go back to was deleted', async () => {
    expect(await problems('UPDATE_ROLLBACK_FAILED', [['/layers/bun/arm64/1']], names)).toEqual([
      expect.stringContaining('put-parameter --region af-south-1 --type String --name /layers/bun'),
      expect.stringContaining('continue-update-rollback'),
    ]);
  });

  test.each<[string, StackStatus | undefined]>([
    ['the stack', 'UPDATE_COMPLETE'],
    ['the target, which has no stack yet', undefined],
  ])('fail where one exists that is not of %s', async (_, status) => {
    expect(await problems(status, [], [latest])).toEqual([
      `parameter ${latest} exists, and is not of stack layers-release, which is to make it; see whose it is, then delete it: aws ssm delete-parameter ${at} --name ${latest}`,
    ]);
  });
});

describe('code storage', () => {
  const needed = release.layers.reduce((sum, { zipBytes }) => sum + zipBytes, 0);

  const inPublishStack = (StackStatus: StackStatus, layers: readonly { arn: string }[]) => {
    const StackName = 'layers-publish';
    const Stacks = [{ StackName, CreationTime: new Date(), StackStatus }];
    cloudFormation.on(DescribeStacksCommand, { StackName }).resolves({ Stacks });
    cloudFormation.on(ListStackResourcesCommand, { StackName }).resolves({
      StackResourceSummaries: layers.map(({ arn }) => ({
        LogicalResourceId: 'A',
        PhysicalResourceId: arn,
        ResourceType: 'AWS::Lambda::LayerVersion',
        ResourceStatus: 'CREATE_COMPLETE',
        LastUpdatedTimestamp: new Date(),
      })),
    });
  };

  test('that is short is enough where the layers are published already', async () => {
    lambda.on(GetAccountSettingsCommand).resolves(settings(needed - 1));
    lambda.on(ListLayerVersionsCommand).resolves({ LayerVersions: [{ Version: 1 }] });
    const [{ layers }] = release.targets;
    inPublishStack('UPDATE_COMPLETE', layers);
    expect((await run()).flatMap(({ problems }) => problems)).toEqual([]);
  });

  test.each<[string, StackStatus, number]>([
    ['not of the publish stack', 'UPDATE_COMPLETE', 1],
    ['of a publish stack that is replaced', 'UPDATE_ROLLBACK_FAILED', 0],
  ])('is needed for layers that are %s, whatever versions they have', async (_, status, from) => {
    lambda.on(GetAccountSettingsCommand).resolves(settings(0));
    lambda.on(ListLayerVersionsCommand).resolves({ LayerVersions: [{ Version: 1 }] });
    inPublishStack(status, release.targets[0].layers.slice(0, 1));
    const bytes = release.layers.slice(from).reduce((sum, { zipBytes }) => sum + zipBytes, 0);
    const [[, problems]] = await problemsOf();
    expect(problems).toEqual([expect.stringContaining(`the release needs ${bytes};`)]);
  });

  test('fails where it does not hold what is missing', async () => {
    lambda.on(GetAccountSettingsCommand).callsFake(inAfrica(() => settings(1), settings(1000)));
    const [, , [, problems]] = await problemsOf();
    expect(problems).toEqual([
      `Lambda's code storage has 1 bytes left of 1000, the release needs ${needed}; delete old function and layer versions, or have the quota "Function and layer storage" raised`,
    ]);
  });
});

describe('a layer', () => {
  const [{ name, runtime }] = release.layers;

  test('fails whose version 1 was deleted, since that number is spent', async () => {
    lambda.on(ListLayerVersionsCommand, { LayerName: name }).callsFake(
      inAfrica(() => ({ LayerVersions: [{ Version: 3 }, { Version: 2 }] }), {
        LayerVersions: [],
      }),
    );
    const [[, near], , [, problems]] = await problemsOf();
    expect(near).toEqual([]);
    expect(problems).toEqual([
      `version 1 of layer ${name} was deleted, and Lambda gives no number again; raise "revision" in assets/runtimes/${runtime}/runtime.json, which gives the layer a new name`,
    ]);
  });

  test('passes whose version 1 is on a further page', async () => {
    lambda
      .on(ListLayerVersionsCommand)
      .callsFake(async ({ Marker }) =>
        Marker
          ? { LayerVersions: [{ Version: 1 }] }
          : { LayerVersions: [{ Version: 2 }], NextMarker: 'more' },
      );
    expect((await run()).flatMap(({ problems }) => problems)).toEqual([]);
  });
});

describe('a target that the CDK CLI deploys to', () => {
  const remote = plan([
    [OTHER, 'eu-west-1'],
    [OTHER, 'ca-west-1'],
  ]);
  const refusedAt = (place: string, error: Error) =>
    sts.on(GetCallerIdentityCommand).callsFake(async (_input, client) => {
      if ((await client().config.region()) === place) throw error;
      return { Account: HOME };
    });

  test.each([
    ['InvalidClientTokenId', 'The security token included in the request is invalid'],
    ['RegionDisabledException', 'STS is not activated in this region'],
  ])('fails where the home account has not enabled its region: %s', async (code, said) => {
    refusedAt('ca-west-1', awsError(code, said, 403));
    expect(await problemsOf(remote)).toEqual([
      [`${OTHER}/eu-west-1`, []],
      [
        `${OTHER}/ca-west-1`,
        [
          `region ca-west-1 is not enabled in the home account ${HOME}, from which the CDK CLI deploys to it: ${said}; enable it there (aws account enable-region --region-name ca-west-1), or pause the target`,
        ],
      ],
    ]);
  });

  test('is not asked for where CloudFormation actions deploy', async () => {
    refusedAt('eu-west-1', awsError('InvalidClientTokenId', 'no', 403));
    const [[, problems]] = await problemsOf({ ...remote, homeRegion: 'us-east-1' });
    expect(problems).toEqual([]);
  });
});

describe('parameters', () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ Name: `/other/${index}` }));

  beforeEach(() => {
    ssm
      .on(DescribeParametersCommand)
      .callsFake(async ({ NextToken }) =>
        NextToken ? { Parameters: many(1) } : { Parameters: many(9_999), NextToken: 'more' },
      );
    ssm.on(GetServiceSettingCommand).resolves({ ServiceSetting: { SettingValue: 'Standard' } });
  });

  test('fail where the standard tier does not take those of the release', async () => {
    const [[, problems]] = await problemsOf();
    expect(problems).toEqual([
      expect.stringMatching(
        /^Parameter Store has 9999 standard parameters, the release adds 8, the standard tier takes 10000; delete some, or set the default tier to Intelligent-Tiering/,
      ),
    ]);
  });

  test('are no problem where the others are advanced ones, which have a quota of their own', async () => {
    const Parameters = many(9_999).map((one, index) =>
      index < 8 ? { ...one, Tier: 'Advanced' as const } : one,
    );
    ssm.on(DescribeParametersCommand).resolves({ Parameters });
    expect((await run()).flatMap(({ problems }) => problems)).toEqual([]);
  });

  test('are no problem where the account pays for more', async () => {
    ssm
      .on(GetServiceSettingCommand)
      .resolves({ ServiceSetting: { SettingValue: 'Intelligent-Tiering' } });
    expect((await run()).flatMap(({ problems }) => problems)).toEqual([]);
  });
});

test('fails for a check that is denied, and makes the others', async () => {
  ssm.on(GetParameterCommand).rejects(awsError('AccessDeniedException', 'not you', 400));
  lambda.on(GetAccountSettingsCommand).resolves(settings(1));
  const [, , [, problems]] = await problemsOf();
  expect(problems).toEqual([
    `ssm:GetParameter is denied to ${far.lookupRoleArn} in af-south-1: not you; allow the action in the role's policy`,
    expect.stringContaining("Lambda's code storage has 1 bytes left"),
  ]);
});
