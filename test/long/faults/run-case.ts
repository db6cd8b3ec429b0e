import type { Execution } from '../../../lib/rehearsal/engine/execution';
import { failureReasons } from '../../../lib/rehearsal/session/collect';
import type { Testbed } from '../../testbed';
import type { FaultCase } from './cases';
import { converged, releasesOf, sharedOf } from './promises';

/**
 * Runs the second release into a fault; checks what every target holds, what is said of the fault,
 * and that everything comes right once the fault is over.
 */
export async function runCase(testbed: Testbed, fault: FaultCase): Promise<void> {
  const { from, until, outcome, rules = [], actions = [] } = fault;
  await testbed.reset(from);
  await testbed.faults(rules, actions);
  // Who is to be disturbed must still be there.
  testbed.approves = fault.of !== 'Approval';
  const run = await testbed.run(from, until);
  expect(await testbed.metFaults()).not.toContain(0);

  const contents = await testbed.contents();
  if (outcome === 'recovers') {
    expectPassed(run, until);
    expect(converged(contents)).toEqual(converged(testbed.expected(until)));
    releasesOf(testbed, contents);
    return;
  }
  expect({ status: run.status, message: run.message }).toMatchObject({ status: 'Failed' });
  // No pointer has moved, in any wave; and before a wave has passed, nothing of it is shared.
  expect(releasesOf(testbed, contents)).toEqual(releasesOf(testbed, testbed.expected(from)));
  if (outcome === 'fails') {
    expect(contents.map(sharedOf)).toEqual(testbed.expected(from).map(sharedOf));
  }
  expectNamed(run, fault);
  const rollbacks = testbed.pipeline.executions.filter(({ rollbackTarget }) => rollbackTarget);
  expect(rollbacks.map(({ status }) => status)).toEqual(
    outcome === 'goes back' ? ['Succeeded'] : [],
  );

  await testbed.faults([]);
  testbed.approves = true;
  await fault.cure?.(testbed);
  const again =
    outcome === 'goes back' ? await testbed.run(from, until) : await retry(testbed, run);
  expectPassed(again, until);
  const cured = await testbed.contents();
  expect(converged(cured)).toEqual(converged(testbed.expected(until)));
  releasesOf(testbed, cured);
}

/** The failed stage once more, as a person asks for it. */
async function retry(testbed: Testbed, run: Execution): Promise<Execution> {
  await testbed.aws(
    'codepipeline',
    'retry-stage-execution',
    ...['--pipeline-name', run.pipeline.name, '--pipeline-execution-id', run.id],
    ...['--stage-name', run.stages.at(-1)?.name as string, '--retry-mode', 'FAILED_ACTIONS'],
  );
  await testbed.settled();
  return run;
}

function expectPassed({ status, message }: Execution, until: string | undefined): void {
  expect({ status, message }).toEqual({ status: until ? 'InProgress' : 'Succeeded', message: '' });
}

/** What a report says names the action, the target and the cause. */
function expectNamed(run: Execution, { action = '', target, cause = /^/, rules }: FaultCase): void {
  const failed = run.actions.filter(({ status }) => status === 'Failed');
  expect(new Set(failed.map(({ name }) => name))).toEqual(new Set([action]));
  const said = [run.message, ...failureReasons([run.report()])].join('\n');
  expect(said).toContain(action);
  expect(said).toMatch(cause);
  if (!rules || !target) return;
  // The report has account and region of each action; an action of many targets names the one.
  const places = failed.map(({ account, region }) => `${account} ${region}`);
  expect(`${said} ${places.join()}`).toContain(target.account);
  expect(`${said} ${places.join()}`).toContain(target.region);
}
