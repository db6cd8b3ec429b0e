import { existsSync, readFileSync } from 'node:fs';
import type { ActionRun } from '../../lib/rehearsal/engine/model';
import { type Permission, takeAway } from './permissions';
import type { Testbed } from './testbed';

/** What became of the pipeline without a permission. */
export interface Removal {
  /** Stage that failed; none where all that might use the permission succeeded. */
  readonly failedStage?: string;
  /** Whether what was said names the role and the action, or the ARN that was refused. */
  readonly named: boolean;
  /** What the failed actions said. */
  readonly said: string;
}

/** Runs the stages that may use a permission once more without it, one by one, until one fails. */
export async function runWithout(
  testbed: Testbed,
  permission: Permission,
  projects: ReadonlyMap<string, string>,
): Promise<Removal> {
  for (const stage of stagesThatMayUse(testbed, permission, projects)) {
    // The release is there: no deployment of it gives the permission back.
    await testbed.reset();
    await takeAway(testbed, [permission]);
    const run = await testbed.run(stage, testbed.stages[testbed.stages.indexOf(stage) + 1]);
    if (run.status !== 'Failed') continue;
    const failed = run.actions.filter((action) => action.stage === stage && isFailed(action));
    const said = failed.map(textOf).join('\n');
    return { failedStage: stage, named: names(said, permission), said };
  }
  return { named: false, said: '' };
}

/**
 * Stages with an action that works as the policy's role, or as the principal that it names; the
 * longest last. Of a permission on one resource, the stages that name that resource.
 *
 * @param projects service roles of the CodeBuild projects, by project
 */
function stagesThatMayUse(
  { pipeline, stages }: Testbed,
  { policy, field, value, statement }: Permission,
  projects: ReadonlyMap<string, string>,
): string[] {
  const { definition } = pipeline;
  const known = (text: string) =>
    definition.Stages.filter(({ Actions }) => {
      const roles = Actions.map(({ Configuration }) => projects.get(Configuration.ProjectName));
      return JSON.stringify([Actions, roles]).includes(text);
    }).map(({ Name }) => Name);
  const principals = Object.values(policy.document.Statement[statement].Principal ?? {}).flat();
  const tries = [
    field === 'Action' ? [] : [lastPart(value)],
    [policy.name, ...principals.map(lastPart)],
    // A role that an action's role enters.
    policy.account === pipeline.key.account ? [] : [policy.account],
  ];
  const found = tries.map((names) => names.flatMap(known)).find((names) => names.length > 0);
  // The pipeline's own role stands in no action, and works in each.
  const candidates = found ?? stages;
  const last = ['Publish', 'Source', 'UpdatePipeline', 'Build'];
  return stages
    .filter((stage) => candidates.includes(stage) && !stage.endsWith('-approval'))
    .sort((one, other) => last.indexOf(one) - last.indexOf(other));
}

const lastPart = (arn: string) => arn.split(/[:/]/).at(-1) as string;

function isFailed({ status }: ActionRun): boolean {
  return status === 'Failed';
}

function textOf({ message, log }: ActionRun): string {
  return `${message}\n${existsSync(log) ? readFileSync(log, 'utf8') : ''}`;
}

/** AWS names who was refused, and what; S3, of another account's bucket, says no more than no. */
function names(said: string, { policy, field, value, statement }: Permission): boolean {
  const { kind, name, document } = policy;
  const { Action, Principal = {} } = document.Statement[statement];
  if (kind === 'bucket') {
    const refused = field === 'Principal' ? [value] : Object.values(Principal).flat();
    // An account stands for the roles of it that the condition names.
    const theirs = refused.map((arn) => arn.replace(/:root$/, ':role/'));
    return said.includes('AccessDenied: Access Denied') && theirs.some((arn) => said.includes(arn));
  }
  const actions = field === 'Action' ? [value] : [Action].flat();
  const refused = actions.some((action) =>
    new RegExp(`not authorized to perform: ${action.replaceAll('*', '\\w*')}`).test(said),
  );
  return refused && said.includes(kind === 'role' ? `assumed-role/${name}/` : name);
}
