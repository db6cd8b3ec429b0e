import { randomUUID } from 'node:crypto';
import { Template } from 'aws-cdk-lib/assertions';
import { approvalComment } from '../../lib/pipeline/steps';
import { planOf, rawConfig } from './fixture';
import { plannedLayout, renderedLayout, stackOf, stagesOf } from './rendered';

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

  test('counts the targets of a wide wave for the approver', () => {
    const approval = stages
      .flatMap(({ Actions }) => Actions)
      .find(({ Name }) => Name === 'Approve-wide');
    expect(approval?.Configuration?.CustomData).toContain(
      'to wave wide: 46 targets in 46 accounts and 1 regions.',
    );
  });

  test('replaces failed publish stacks in every step, also in that of a single target', () => {
    const modes = stages
      .flatMap(({ Actions }) => Actions)
      .filter(({ Name }) => Name.startsWith('publish-'))
      .map(({ Configuration }) => Configuration?.ActionMode);
    expect(modes).toEqual(Array(47).fill('REPLACE_ON_FAILURE'));
  });
});

test('an approval fits into 1000 characters with the id of its execution in it', () => {
  const regions = ['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'eu-west-1', 'eu-west-2'];
  const paused = regions.slice(1).map((region) => ({
    region,
    reason: 'waits for the quota of code storage to be raised. '.repeat(4),
    since: '2026-11-22',
  }));
  const waves = [{ name: 'long', accounts: ['888888888888'], regions, approval: true, paused }];
  const text = approvalComment(planOf({ ...rawConfig(), waves }).waves[0]);
  const shown = text.replace('#{codepipeline.PipelineExecutionId}', randomUUID());
  expect(shown).toHaveLength(1000);
  expect(shown).toMatch(/\.\.\.$/);
});
