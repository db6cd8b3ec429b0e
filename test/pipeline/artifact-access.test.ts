import { planOf, rawConfig } from './fixture';
import { stackOf } from './rendered';
import { resourcesOf, stacksOf } from './template-limits';

interface Statement {
  readonly Sid?: string;
  readonly Principal: { readonly AWS?: string | readonly string[] };
  readonly Condition?: { readonly ArnEquals?: { readonly 'aws:PrincipalArn': string | string[] } };
}

describe('artifacts of targets in the home account and in others', () => {
  const HOME = '999999999999';
  const OTHER = '222222222222';
  const raw = rawConfig();
  raw.waves[0].accounts = [HOME, OTHER];
  raw.waves[0].regions = ['eu-west-1', 'us-east-1', 'ca-west-1'];
  const { app } = stackOf({ plan: planOf(raw) });
  const resources = stacksOf(app.synth()).flatMap((stack) => resourcesOf(stack));
  const statements = resources
    .flatMap(({ Properties }) => {
      const { PolicyDocument, KeyPolicy } = Properties as Partial<
        Record<'PolicyDocument' | 'KeyPolicy', { readonly Statement: readonly Statement[] }>
      >;
      return [...(KeyPolicy?.Statement ?? []), ...(PolicyDocument?.Statement ?? [])];
    })
    .filter(({ Principal }) => Principal !== undefined);
  const principals = ({ Principal: { AWS = [] } }: Statement) => [AWS].flat();

  test('a bucket whose name is fixed goes with its stack: one that stayed would stop the next', () => {
    const named = resources.filter(
      ({ Type, Properties }) => Type === 'AWS::S3::Bucket' && 'BucketName' in (Properties ?? {}),
    );
    expect(named).toHaveLength(1);
    expect(named[0]).toMatchObject({ DeletionPolicy: 'Delete', UpdateReplacePolicy: 'Delete' });
  });

  test('no policy names a role of another account: without it the policy would be refused', () => {
    const roles = statements.flatMap(principals).filter((arn) => /:role\//.test(arn));
    expect(roles.length).toBeGreaterThan(0);
    for (const arn of roles) expect(arn).toContain(`::${HOME}:role/`);
  });

  test('of the other accounts just the deploy roles of targets with CloudFormation actions enter', () => {
    const foreign = statements.filter((statement) =>
      principals(statement).some((arn) => arn !== '*' && !arn.includes(`::${HOME}:`)),
    );
    // Bucket and key of the home region, bucket and key of the replica; both waves are in both.
    expect(foreign.map(({ Sid }) => Sid)).toEqual(Array(4).fill('DeployRoles'));
    for (const { Condition } of foreign) {
      const roles = [Condition?.ArnEquals?.['aws:PrincipalArn'] ?? []].flat();
      expect(roles.length).toBeGreaterThan(0);
      for (const role of roles) {
        expect(role).toMatch(
          /^arn:aws:iam::(\d{12}):role\/cdk-hnb659fds-deploy-role-\1-(eu-west-1|us-east-1)$/,
        );
        expect(role).not.toContain(HOME);
      }
    }
  });
});
