import {
  CloudFormationClient,
  paginateDescribeStacks,
  paginateListStackResources,
} from '@aws-sdk/client-cloudformation';
import type { Place } from '../e2e/support';
import type { Testbed } from './testbed';

/** What a policy hangs on. */
export type PolicyKind = 'role' | 'trust' | 'bucket' | 'key' | 'topic';

/** A statement's fields that hold what it grants, to whom and on what. */
const FIELDS = ['Action', 'Resource', 'Principal'] as const;
type Field = (typeof FIELDS)[number];

interface RawStatement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | string[];
  readonly Resource?: string | string[];
  readonly Principal?: '*' | Record<string, string | string[]>;
  readonly Condition?: object;
}

interface PolicyDocument {
  readonly Version?: string;
  readonly Statement: RawStatement[];
}

/** One policy in the local cloud: of a role, of who may assume it, of a bucket, a key or a topic. */
export interface Policy extends Place {
  readonly kind: PolicyKind;
  /** Name of the role or bucket, id of the key, ARN of the topic. */
  readonly name: string;
  /** Of a role's inline policy. */
  readonly policyName?: string;
  readonly document: PolicyDocument;
}

/** The least that can be taken away: a statement's only action, or one of several values of a field. */
export interface Permission {
  readonly policy: Policy;
  /** Index into the statements. */
  readonly statement: number;
  readonly field: Field;
  /** An action, an ARN, or a principal. */
  readonly value: string;
}

/** In place of a trust that was taken away: IAM takes no empty one, and nobody has this ARN. */
const NOBODY = { AWS: 'arn:aws:iam::000000000000:root' };

/** Every policy of the stacks of the pipeline and of its targets, CDK's bootstrap stacks aside. */
export async function readPolicies(testbed: Testbed): Promise<Policy[]> {
  const places = placesOf(testbed);
  const resources = (
    await Promise.all(places.map((place) => readResources(testbed, place)))
  ).flat();
  const bootstrap = new Set(resources.filter(({ bootstrap }) => bootstrap).map(keyOf));
  const policies: Policy[] = [];
  for (const account of new Set(places.map(({ account }) => account))) {
    const place = places.find((candidate) => candidate.account === account) as Place;
    policies.push(...(await readRoles(testbed, place, bootstrap)));
  }
  for (const resource of resources.filter(({ bootstrap }) => !bootstrap)) {
    const document = await readResourcePolicy(testbed, resource);
    if (document) policies.push(document);
  }
  return policies;
}

/** Every region of every account: the replicas of artifacts lie in home's. */
function placesOf({ pipeline, targets }: Testbed): Place[] {
  const all = [pipeline.key, ...targets];
  const regions = [...new Set(all.map(({ region }) => region))];
  const accounts = [...new Set(all.map(({ account }) => account))];
  return accounts.flatMap((account) => regions.map((region) => ({ account, region })));
}

/** Each permission of a policy, once. */
export function permissionsOf(policy: Policy): Permission[] {
  return policy.document.Statement.flatMap((raw, statement) => {
    const values = FIELDS.map((field) => ({ field, values: valuesOf(raw, field) }));
    return values.flatMap(({ field, values }) =>
      values.length > 1 || field === 'Action'
        ? values.map((value) => ({ policy, statement, field, value }))
        : [],
    );
  });
}

/** Takes permissions away, as root of each account. The testbed's next `reset` gives them back. */
export async function takeAway(
  testbed: Testbed,
  permissions: readonly Permission[],
): Promise<void> {
  for (const policy of new Set(permissions.map((permission) => permission.policy))) {
    const gone = permissions.filter((permission) => permission.policy === policy);
    const Statement = policy.document.Statement.flatMap((raw, index) =>
      without(
        raw,
        gone.filter(({ statement }) => statement === index),
      ),
    );
    await write(testbed, policy, { ...policy.document, Statement });
  }
}

/** `role 111111111111 layers-publish: s3:GetObject`, or `… : <value> of <Sid or actions>`. */
export function describePermission({ policy, field, value, statement }: Permission): string {
  const { Action, Sid } = policy.document.Statement[statement];
  const of = field === 'Action' ? '' : ` of ${Sid ?? [Action].flat().join(' ')}`;
  return `${policy.kind} ${policy.account} ${policy.name}: ${value}${of}`;
}

function valuesOf(raw: RawStatement, field: Field): string[] {
  if (field !== 'Principal') return [raw[field] ?? []].flat();
  return typeof raw.Principal === 'string'
    ? [raw.Principal]
    : Object.values(raw.Principal ?? {}).flat();
}

/** The statement without some values; nothing where a field is left with none. */
function without(raw: RawStatement, gone: readonly Permission[]): RawStatement[] {
  const left = { ...raw } as Record<Field, unknown>;
  for (const field of FIELDS) {
    const values = gone
      .filter((permission) => permission.field === field)
      .map(({ value }) => value);
    if (values.length === 0) continue;
    const kept = valuesOf(raw, field).filter((value) => !values.includes(value));
    if (kept.length === 0) return [];
    const [type] = Object.keys(raw.Principal ?? {});
    left[field] = field === 'Principal' ? { [type as string]: kept } : kept;
  }
  return [left as unknown as RawStatement];
}

interface StackResource extends Place {
  readonly type: string;
  readonly name: string;
  readonly bootstrap: boolean;
}

const keyOf = ({ account, type, name }: StackResource) => `${account}/${type}/${name}`;

async function readResources(testbed: Testbed, place: Place): Promise<StackResource[]> {
  const client = new CloudFormationClient(testbed.cloud.sdkConfig(place.account, place.region));
  const resources: StackResource[] = [];
  for await (const { Stacks = [] } of paginateDescribeStacks({ client }, {})) {
    for (const { StackName = '', StackStatus } of Stacks) {
      if (StackStatus === 'DELETE_COMPLETE') continue;
      for await (const page of paginateListStackResources({ client }, { StackName })) {
        for (const { ResourceType, PhysicalResourceId } of page.StackResourceSummaries ?? []) {
          resources.push({
            ...place,
            type: ResourceType as string,
            name: PhysicalResourceId as string,
            bootstrap: StackName === 'CDKToolkit',
          });
        }
      }
    }
  }
  client.destroy();
  return resources;
}

interface RoleDetail {
  readonly RoleName: string;
  readonly AssumeRolePolicyDocument: PolicyDocument;
  readonly RolePolicyList: { PolicyName: string; PolicyDocument: PolicyDocument }[];
  readonly AttachedManagedPolicies: { PolicyArn: string }[];
}

async function readRoles(
  testbed: Testbed,
  place: Place,
  bootstrap: ReadonlySet<string>,
): Promise<Policy[]> {
  const { RoleDetailList } = await testbed.awsIn<{ RoleDetailList: RoleDetail[] }>(
    place,
    'iam',
    'get-account-authorization-details',
  );
  return RoleDetailList.filter(
    ({ RoleName }) => !bootstrap.has(`${place.account}/AWS::IAM::Role/${RoleName}`),
  ).flatMap(({ RoleName, AssumeRolePolicyDocument, RolePolicyList, AttachedManagedPolicies }) => {
    const of = { ...place, name: RoleName };
    if (AttachedManagedPolicies.length > 0) {
      throw new Error(`role ${RoleName} has managed policies, which are not read here`);
    }
    return [
      { ...of, kind: 'trust' as const, document: AssumeRolePolicyDocument },
      ...RolePolicyList.map(({ PolicyName, PolicyDocument }) => ({
        ...of,
        kind: 'role' as const,
        policyName: PolicyName,
        document: PolicyDocument,
      })),
    ];
  });
}

async function readResourcePolicy(
  testbed: Testbed,
  { account, region, type, name }: StackResource,
): Promise<Policy | undefined> {
  const of = { account, region, name };
  const read = async (kind: PolicyKind, ...args: string[]): Promise<Policy> => {
    const { Policy, Attributes } = await testbed.awsIn<{
      Policy?: string;
      Attributes?: { Policy: string };
    }>({ account, region }, ...args);
    return { ...of, kind, document: JSON.parse(Policy ?? Attributes?.Policy ?? '') };
  };
  switch (type) {
    case 'AWS::S3::Bucket':
      return read('bucket', 's3api', 'get-bucket-policy', '--bucket', name);
    case 'AWS::KMS::Key':
      return read('key', 'kms', 'get-key-policy', '--key-id', name, '--policy-name', 'default');
    case 'AWS::SNS::Topic':
      return read('topic', 'sns', 'get-topic-attributes', '--topic-arn', name);
    default:
      return undefined;
  }
}

async function write(testbed: Testbed, policy: Policy, document: PolicyDocument): Promise<void> {
  const { kind, name, policyName = '' } = policy;
  const empty = document.Statement.length === 0;
  const text = JSON.stringify(document);
  const aws = (...args: string[]) => testbed.awsIn(policy, ...args);
  switch (kind) {
    case 'role':
      if (empty) {
        await aws('iam', 'delete-role-policy', '--role-name', name, '--policy-name', policyName);
      } else {
        const named = ['--role-name', name, '--policy-name', policyName];
        await aws('iam', 'put-role-policy', ...named, '--policy-document', text);
      }
      return;
    case 'trust': {
      const nobody = { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: NOBODY };
      const trust = empty ? JSON.stringify({ ...document, Statement: [nobody] }) : text;
      const named = ['--role-name', name, '--policy-document', trust];
      await aws('iam', 'update-assume-role-policy', ...named);
      return;
    }
    case 'bucket':
      if (empty) await aws('s3api', 'delete-bucket-policy', '--bucket', name);
      else await aws('s3api', 'put-bucket-policy', '--bucket', name, '--policy', text);
      return;
    case 'key': {
      const named = ['--key-id', name, '--policy-name', 'default', '--policy', text];
      await aws('kms', 'put-key-policy', ...named, '--bypass-policy-lockout-safety-check');
      return;
    }
    case 'topic': {
      const named = ['--topic-arn', name, '--attribute-name', 'Policy'];
      await aws('sns', 'set-topic-attributes', ...named, '--attribute-value', text);
    }
  }
}
