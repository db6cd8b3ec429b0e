import { App } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { context } from '../../cdk.json';
import { type DeliveryPlan, PARAMETERS_AT_A_TIME } from '../../lib/plan';
import type { ReleaseTarget } from '../../lib/release';
import { PublishStage } from '../../stages/publish-stage';
import { ReleaseStage } from '../../stages/release-stage';
import { anyTarget } from '../../stages/target-stage';
import { planOf, rawConfig } from '../pipeline/fixture';
import { temporaryFolder } from '../temporary-folder';

function templateOf(
  stageClass: typeof PublishStage | typeof ReleaseStage,
  plan: DeliveryPlan,
  [target] = plan.waves[0].targets,
): Template {
  const app = new App({ context, outdir: temporaryFolder() });
  const stage = new stageClass(app, 'Stage', { plan, target });
  return Template.fromJSON(stage.synth().stacks[0].template);
}

const plan = planOf();
const [target] = plan.waves[0].targets;

describe('publish stage', () => {
  const template = templateOf(PublishStage, plan);

  test('each layer is a version that no deployment deletes', () => {
    const versions = Object.values(template.findResources('AWS::Lambda::LayerVersion'));
    expect(versions.map(({ Properties }) => Properties.LayerName).sort()).toEqual(
      plan.layers.map(({ name }) => name),
    );
    for (const version of versions) {
      expect(version.DeletionPolicy).toBe('Retain');
      expect(version.UpdateReplacePolicy).toBe('Retain');
    }
  });

  test('zips come from the bootstrap bucket by their digest', () => {
    template.hasResourceProperties('AWS::Lambda::LayerVersion', {
      LayerName: plan.layers[0].name,
      CompatibleArchitectures: [plan.layers[0].architecture],
      CompatibleRuntimes: ['provided.al2023'],
      Content: {
        S3Bucket: 'cdk-hnb659fds-assets-888888888888-us-east-1',
        S3Key: `layers/${plan.layers[0].digest}.zip`,
      },
    });
  });

  test('grants nobody the layers and moves no parameter', () => {
    template.resourceCountIs('AWS::Lambda::LayerVersionPermission', 0);
    template.resourceCountIs('AWS::SSM::Parameter', 0);
  });

  test.each(target.layers)(
    'the example of $name attaches the very ARN that is recorded',
    (layer) => {
      const [version] = Object.keys(
        template.findResources('AWS::Lambda::LayerVersion', {
          Properties: { LayerName: layer.name },
        }),
      );
      template.hasResource('AWS::Lambda::Function', {
        Properties: {
          FunctionName: layer.functionName,
          Layers: [layer.arn],
          Architectures: [layer.name.includes('arm64') ? 'arm64' : 'x86_64'],
          Runtime: 'provided.al2023',
        },
        DependsOn: Match.arrayWith([version]),
      });
    },
  );

  test('no function has a public URL', () => {
    template.resourceCountIs('AWS::Lambda::Url', 0);
  });

  test('only the smoke role of the home account enters, to read and run, nothing else', () => {
    template.hasResourceProperties('AWS::IAM::Role', {
      RoleName: 'layers-smoke-us-east-1',
      AssumeRolePolicyDocument: {
        Statement: [
          {
            Effect: 'Allow',
            Action: 'sts:AssumeRole',
            Principal: { AWS: 'arn:aws:iam::999999999999:root' },
            Condition: {
              ArnEquals: {
                'aws:PrincipalArn': 'arn:aws:iam::999999999999:role/layers-smoke-wave-pilot',
              },
            },
          },
        ],
      },
      Policies: [
        {
          PolicyDocument: {
            Statement: [
              { Sid: 'ReadLayers', Effect: 'Allow', Action: 'lambda:GetLayerVersion' },
              {
                Sid: 'RunExamples',
                Effect: 'Allow',
                Action: ['lambda:GetFunctionConfiguration', 'lambda:InvokeFunction'],
              },
            ].map((statement) => Match.objectLike(statement)),
          },
        },
      ],
    });
  });

  test('new content is a new resource, unchanged content no change', () => {
    const ids = (seed: string) =>
      Object.keys(
        templateOf(PublishStage, planOf(rawConfig(), seed)).findResources(
          'AWS::Lambda::LayerVersion',
        ),
      );
    const [before, after] = [ids('a'), ids('b')];
    expect(ids('a')).toEqual(before);
    expect(after).toHaveLength(before.length);
    expect(after.filter((id) => before.includes(id))).toEqual([]);
  });
});

describe('release stage', () => {
  const template = templateOf(ReleaseStage, plan);

  test('holds nothing but permissions and parameters', () => {
    const types = new Set(
      Object.values(template.toJSON().Resources as Record<string, { Type: string }>).map(
        ({ Type }) => Type,
      ),
    );
    expect([...types].sort()).toEqual([
      'AWS::Lambda::LayerVersionPermission',
      'AWS::SSM::Parameter',
    ]);
  });

  test('parameters carry tags in place of those that layers cannot have', () => {
    const [layer] = plan.layers;
    template.hasResourceProperties('AWS::SSM::Parameter', {
      Name: `/layers/${layer.runtime}/${layer.architecture}/latest`,
      Value: target.layers[0].arn,
      Tags: {
        runtime: layer.runtime,
        version: layer.version,
        architecture: layer.architecture,
        digest: layer.digest,
        layer: layer.name,
      },
    });
  });

  test('points at a layer after the last permission on that layer is granted', () => {
    const sharing = { with: 'accounts', accounts: ['123456789012', '210987654321'] };
    const shared = templateOf(ReleaseStage, planOf({ ...rawConfig(), sharing }));
    const permissions = shared.findResources('AWS::Lambda::LayerVersionPermission');
    const parameters = Object.values(shared.findResources('AWS::SSM::Parameter'));
    expect(parameters.length).toBeGreaterThan(plan.layers.length);
    for (const { DependsOn, Properties } of parameters) {
      const { arn } = target.layers.find(({ name }) => name === Properties.Tags.layer) as {
        arn: string;
      };
      const onLayer = Object.keys(permissions).filter(
        (id) => permissions[id].Properties.LayerVersionArn === arn,
      );
      expect(onLayer).toHaveLength(2);
      expect(DependsOn).toEqual(expect.arrayContaining(onLayer.slice(-1)));
    }
  });

  test('writes a few parameters at a time, for Systems Manager takes three a second', () => {
    const parameters = template.findResources('AWS::SSM::Parameter');
    const rounds = new Map<string, number>();
    for (const [id, { DependsOn = [] }] of Object.entries(parameters)) {
      rounds.set(
        id,
        1 + Math.max(0, ...DependsOn.map((before: string) => rounds.get(before) ?? 0)),
      );
    }
    const atATime = (round: number) => [...rounds.values()].filter((of) => of === round).length;
    const last = Math.max(...rounds.values());
    expect(rounds.size).toBeGreaterThan(PARAMETERS_AT_A_TIME);
    for (let round = 1; round < last; round++) expect(atATime(round)).toBe(PARAMETERS_AT_A_TIME);
    expect(atATime(last)).toBeLessThanOrEqual(PARAMETERS_AT_A_TIME);
  });

  test('adds to the policy of a layer one permission after the other', () => {
    const accounts = ['123456789012', '210987654321', '321098765432'];
    const shared = templateOf(
      ReleaseStage,
      planOf({ ...rawConfig(), sharing: { with: 'accounts', accounts } }),
    );
    const permissions = shared.findResources('AWS::Lambda::LayerVersionPermission');
    for (const { arn } of target.layers) {
      const onLayer = Object.keys(permissions).filter(
        (id) => permissions[id].Properties.LayerVersionArn === arn,
      );
      const before = [undefined, ...onLayer.slice(0, -1).map((id) => [id])];
      expect(onLayer.map((id) => permissions[id].DependsOn)).toEqual(before);
      expect(onLayer).toHaveLength(3);
    }
  });

  test('depends on nothing that changes with the commit', () => {
    expect(templateOf(ReleaseStage, planOf()).toJSON()).toEqual(template.toJSON());
  });

  test.each([
    [{ with: 'private' }, []],
    [
      { with: 'accounts', accounts: ['123456789012', '210987654321'] },
      [{ Principal: '123456789012' }, { Principal: '210987654321' }],
    ],
    [
      { with: 'organization', organizationId: 'o-a1b2c3d4e5' },
      [{ Principal: '*', OrganizationId: 'o-a1b2c3d4e5' }],
    ],
    [{ with: 'public' }, [{ Principal: '*' }]],
  ])('shares %j by one permission a grantee, retained', (sharing, grantees) => {
    const shared = templateOf(ReleaseStage, planOf({ ...rawConfig(), sharing }));
    const permissions = Object.values(shared.findResources('AWS::Lambda::LayerVersionPermission'));
    const ofFirst = permissions.filter(
      ({ Properties }) => Properties.LayerVersionArn === target.layers[0].arn,
    );
    expect(permissions).toHaveLength(grantees.length * plan.layers.length);
    expect(
      ofFirst.map(({ Properties: { LayerVersionArn: _, Action: __, ...grantee } }) => grantee),
    ).toEqual(grantees);
    for (const permission of permissions) expect(permission.DeletionPolicy).toBe('Retain');
  });
});

describe('one template for every target of a wave', () => {
  test.each([
    ['publish', PublishStage],
    ['release', ReleaseStage],
  ])('%s: CloudFormation makes of it what each target needs', (_, stageClass) => {
    const shared = templateOf(stageClass, plan, [anyTarget(plan, plan.waves[0].name)]).toJSON();
    for (const place of plan.waves[0].targets) {
      const own = templateOf(stageClass, plan, [place]).toJSON();
      expect(JSON.stringify(own)).toContain(place.region);
      expect(filledIn(shared.Resources, place)).toEqual(filledIn(own.Resources, place));
    }
    expect(JSON.stringify(shared)).not.toContain(plan.waves[0].targets[0].account);
  });
});

/** As CloudFormation fills in its pseudo parameters, and joins. */
function filledIn(value: unknown, place: ReleaseTarget): unknown {
  if (Array.isArray(value)) return value.map((item) => filledIn(item, place));
  if (typeof value !== 'object' || value === null) return value;
  const { Ref, 'Fn::Join': join } = value as Record<string, unknown>;
  const pseudo: Record<string, string> = {
    'AWS::Partition': place.partition,
    'AWS::AccountId': place.account,
    'AWS::Region': place.region,
  };
  if (typeof Ref === 'string' && Ref in pseudo) return pseudo[Ref];
  if (join !== undefined) {
    const [separator, parts] = filledIn(join, place) as [string, unknown[]];
    if (parts.every((part) => typeof part === 'string')) return parts.join(separator);
    return { 'Fn::Join': [separator, parts] };
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, filledIn(item, place)]),
  );
}
