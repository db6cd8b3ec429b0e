import { statSync } from 'node:fs';
import { App } from 'aws-cdk-lib';
import type { CloudAssembly, CloudFormationStackArtifact } from 'aws-cdk-lib/cx-api';
import { context } from '../../cdk.json';
import { DeliveryPipelineStack } from '../../lib/pipeline';
import { type DeliveryPlan, quotaUse } from '../../lib/plan';
import { temporaryFolder } from '../temporary-folder';

interface Resource {
  readonly Type: string;
  readonly Properties?: {
    readonly PolicyDocument?: object;
    readonly KeyPolicy?: object;
    readonly Roles?: readonly unknown[];
    readonly Policies?: readonly { readonly PolicyDocument: object }[];
  };
}

/** Most characters of each kind of policy, as AWS documents them. */
const POLICY_LIMITS: Readonly<Record<string, number>> = {
  'AWS::IAM::Policy': 10_240,
  'AWS::IAM::ManagedPolicy': 6144,
  'AWS::S3::BucketPolicy': 20_480,
  'AWS::KMS::Key': 32_768,
};

/**
 * Synthesizes a plan and holds every template against CloudFormation's and IAM's limits, and
 * against what the plan had estimated.
 */
export function expectTemplatesWithinLimits(plan: DeliveryPlan): void {
  const app = new App({ context, outdir: temporaryFolder() });
  new DeliveryPipelineStack(app, 'Delivery', { plan });
  const stacks = stacksOf(app.synth());
  expect(stacks).toContainEqual(expect.objectContaining({ stackName: `${plan.name}-delivery` }));
  for (const stack of stacks) expectWithinLimits(stack);

  const estimate = (quota: string) =>
    quotaUse(plan).find((use) => use.quota.startsWith(quota))?.used ?? Number.NaN;
  for (const stack of stacks) {
    const bytes = statSync(stack.templateFullPath).size;
    if (stack.stackName === `${plan.name}-delivery`) {
      const estimated = estimate("bytes of the pipeline's template");
      expect(bytes).toBeLessThanOrEqual(estimated);
      // What is far below the limit may be estimated as if it asked for everything.
      if (estimated > 100_000) expect(bytes).toBeGreaterThan(0.6 * estimated);
      expect(managedPolicies(stack)).toBeLessThanOrEqual(estimate('managed policies of a role'));
    } else if (stack.stackName.includes('-support-')) {
      expect(bytes).toBeLessThanOrEqual(estimate("bytes of an artifact replica's template"));
    }
    for (const { Type, Properties } of resourcesOf(stack)) {
      if (Properties?.Policies) {
        expect(characters(Properties.Policies)).toBeLessThanOrEqual(
          estimate("characters in the smoke role's policy"),
        );
      }
      if (Type !== 'AWS::S3::BucketPolicy') continue;
      expect(JSON.stringify(Properties?.PolicyDocument).length).toBeLessThanOrEqual(
        estimate("bytes of the artifact bucket's policy"),
      );
    }
  }
}

/** Every stack of an assembly, of the assemblies in it too. */
export function stacksOf(assembly: CloudAssembly): CloudFormationStackArtifact[] {
  return [
    ...assembly.stacks,
    ...assembly.nestedAssemblies.flatMap(({ nestedAssembly }) => stacksOf(nestedAssembly)),
  ];
}

export const resourcesOf = ({ template }: CloudFormationStackArtifact): Resource[] =>
  Object.values(template.Resources);

function expectWithinLimits(stack: CloudFormationStackArtifact): void {
  const bytes = statSync(stack.templateFullPath).size;
  expect(bytes).toBeLessThanOrEqual(templateLimit(stack.stackName));
  const resources = resourcesOf(stack);
  expect(resources.length).toBeLessThanOrEqual(500);
  for (const { Type, Properties } of resources) {
    const document = Properties?.PolicyDocument ?? Properties?.KeyPolicy;
    if (document && Type in POLICY_LIMITS) {
      expect(characters(document)).toBeLessThanOrEqual(POLICY_LIMITS[Type]);
    }
    expect(characters(Properties?.Policies ?? [])).toBeLessThanOrEqual(10_240);
  }
}

/** Where the longest names are. */
const SOMEWHERE: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws-us-gov',
  'AWS::Region': 'ap-southeast-2',
  'AWS::AccountId': '700000000000',
};

/** What AWS counts of a policy: not the functions that CloudFormation replaces before. */
function characters(policy: object): number {
  return JSON.stringify(policy, (_, value) => {
    const [separator, parts] = value?.['Fn::Join'] ?? [];
    const texts = parts?.map(
      (part: unknown) => SOMEWHERE[(part as { Ref?: string }).Ref ?? ''] ?? part,
    );
    const plain = texts?.every((text: unknown) => typeof text === 'string');
    return plain ? texts.join(separator) : value;
  }).length;
}

/** Managed policies of the role that has most of them. */
function managedPolicies(stack: CloudFormationStackArtifact): number {
  const roles = resourcesOf(stack)
    .filter(({ Type }) => Type === 'AWS::IAM::ManagedPolicy')
    .map(({ Properties }) => JSON.stringify(Properties?.Roles));
  return Math.max(0, ...roles.map((role) => roles.filter((other) => other === role).length));
}

/** Bytes of a template that the CDK CLI sends by itself, that CodePipeline deploys, that lies in S3. */
function templateLimit(stackName: string): number {
  if (stackName.includes('-support-')) return 51_200;
  return /-(publish|release)$/.test(stackName) ? 512_000 : 1_000_000;
}
