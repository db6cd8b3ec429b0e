import { App } from 'aws-cdk-lib';
import type { CloudFormationStackArtifact } from 'aws-cdk-lib/cx-api';
import { context } from '../../cdk.json';
import { DeliveryPipelineStack } from '../../lib/pipeline';
import { temporaryFolder } from '../temporary-folder';
import { planOf, rawConfig } from './fixture';
import { stacksOf } from './template-limits';

export interface Statement {
  readonly Effect: string;
  readonly Action?: string | string[];
  readonly Resource?: unknown;
  readonly Principal?: unknown;
  readonly NotAction?: unknown;
  readonly NotResource?: unknown;
  readonly NotPrincipal?: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** A statement of a policy in a template, with whose it is. */
export interface OwnedStatement {
  /** Stack and resource, without the hashes of CDK. */
  readonly owner: string;
  readonly statement: Statement;
  /** CloudFormation types of the template's resources, by logical id. */
  readonly types: ReadonlyMap<string, string>;
}

/** Every statement of a pipeline that uses what there is to use, denials and trust included. */
export function allStatements(): OwnedStatement[] {
  const raw = rawConfig();
  raw.waves[1].regions.push('ca-west-1');
  const plan = planOf({
    ...raw,
    notifications: { emails: ['ops@example.com'] },
    monitoring: { dashboard: true },
    schedule: 'rate(7 days)',
  });
  const app = new App({ context, outdir: temporaryFolder() });
  new DeliveryPipelineStack(app, 'Delivery', { plan });
  return stacksOf(app.synth()).flatMap(statementsOf);
}

/** Of every property that is a policy, whatever the resource calls it. */
function statementsOf({ stackName, template }: CloudFormationStackArtifact): OwnedStatement[] {
  const stack = stackName.replace(/^layers-(delivery-)?/, '').replace(/^(support)-.*/, '$1');
  const resources = Object.entries<{ Type: string; Properties?: object }>(template.Resources);
  const types = new Map(resources.map(([logicalId, { Type }]) => [logicalId, Type]));
  return resources.flatMap(([logicalId, { Properties }]) =>
    statementsIn(Properties).map((statement) => ({
      owner: `${stack} ${logicalId.replace(/(DefaultPolicy)?[0-9A-F]{8}$/, '')}`,
      statement,
      types,
    })),
  );
}

function statementsIn(value: unknown): Statement[] {
  if (typeof value !== 'object' || value === null) return [];
  const { Statement: found } = value as { Statement?: Statement[] };
  return Array.isArray(found) ? found : Object.values(value).flatMap(statementsIn);
}
