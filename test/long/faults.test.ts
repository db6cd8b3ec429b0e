import { readFileSync } from 'node:fs';
import { targetsOf } from '../e2e/support';
import { type TargetContents, Testbed, testbedConfig } from '../testbed';
import { CASES, nameOf } from './faults/cases';
import { converged, releasesOf } from './faults/promises';
import { runCase } from './faults/run-case';

const MINUTES = 60_000;

let testbed: Testbed;

beforeAll(async () => {
  testbed = await Testbed.create({
    before: testbedConfig(['24.20.0']),
    after: testbedConfig(['24.20.0', '24.21.0']),
  });
}, 20 * MINUTES);

afterAll(() => testbed?.dispose(), 2 * MINUTES);

test.each([
  ['pilot-publish', 'production-approval'],
  ['pilot-release', 'production-approval'],
  ['production-canary', 'far-approval'],
  ['far-publish', undefined],
])(
  'a run that starts at %s comes to the same as the one from the source',
  async (from, until) => {
    await testbed.reset(from);
    expect(await testbed.contents()).toEqual(testbed.expected(from));
    expect(testbed.expected(from)).not.toEqual(testbed.expected(until));
    const { status } = await testbed.run(from, until);
    expect(status).toBe(until ? 'InProgress' : 'Succeeded');
    expect(await testbed.contents()).toEqual(testbed.expected(until));
  },
  2 * MINUTES,
);

test.each(CASES.map((fault) => [nameOf(fault), fault] as const))(
  '%s',
  (_name, fault) => runCase(testbed, fault),
  5 * MINUTES,
);

describe('a release stage whose second region fails', () => {
  const [FROM, UNTIL] = ['pilot-release', 'production-approval'];
  const SECOND = { account: '222222222222', region: 'eu-west-1' };
  /** In the middle of the stack: some parameters have moved. */
  const fault = { what: 'AWS::SSM::Parameter', kind: 'error', ...SECOND, skip: 3 } as const;
  const pipeline = ['--pipeline-name', 'layers'];

  const releases = async () => releasesOf(testbed, await testbed.contents());
  const allOld = () => releasesOf(testbed, testbed.expected(FROM));
  const allNew = () => releasesOf(testbed, testbed.expected(UNTIL));
  /** As after a run without a fault. */
  const expectAllNew = async () => {
    expect(converged(await testbed.contents())).toEqual(converged(testbed.expected(UNTIL)));
  };
  const inFirst = { '222222222222/us-east-1': 'new' };
  const retry = (id: string) =>
    testbed.aws(
      'codepipeline',
      'retry-stage-execution',
      ...pipeline,
      ...['--stage-name', FROM, '--pipeline-execution-id', id, '--retry-mode', 'FAILED_ACTIONS'],
    );
  const index = targetsOf(testbedConfig(['24.21.0'])).findIndex(
    ({ account, region }) => account === SECOND.account && region === SECOND.region,
  );
  /**
   * A parameter fails and, when the stack goes back, all before it fail again. Which of them has to
   * fail first for an end like the wanted one depends on the stack's order.
   */
  const failForGood = async (isWanted: (second: TargetContents) => boolean) => {
    for (let skip = 1; skip <= 6; skip++) {
      await testbed.reset(FROM);
      await testbed.faults([{ ...fault, skip }]);
      const run = await testbed.run(FROM, UNTIL);
      const contents = await testbed.contents();
      const second = contents[index] as TargetContents;
      if (run.status === 'Failed' && isWanted(second)) return { contents, second };
    }
    throw new Error('no failure ends in the way that is wanted');
  };
  const rollBack = async () => {
    const { pipelineExecutionId } = await testbed.aws<{ pipelineExecutionId: string }>(
      'codepipeline',
      'rollback-stage',
      ...pipeline,
      ...['--stage-name', FROM, '--target-pipeline-execution-id', testbed.firstExecution],
    );
    await testbed.settled();
    return testbed.pipeline.execution(pipelineExecutionId);
  };

  test(
    'goes back as a whole, cannot be retried then, and is released by the next run',
    async () => {
      await testbed.reset(FROM);
      await testbed.faults([{ ...fault, times: 1 }]);
      const run = await testbed.run(FROM, UNTIL);
      expect(run.status).toBe('Failed');
      const { pipelineExecutionSummaries: listed } = await testbed.aws<{
        pipelineExecutionSummaries: object[];
      }>('codepipeline', 'list-pipeline-executions', ...pipeline);
      expect(listed.slice(0, 2)).toMatchObject([
        {
          status: 'Succeeded',
          executionType: 'ROLLBACK',
          trigger: { triggerType: 'AutomatedRollback', triggerDetail: testbed.firstExecution },
        },
        { status: 'Failed', pipelineExecutionId: run.id },
      ]);
      // The first region had moved, and is back.
      const deployed = run.actions.filter(({ stage }) => stage === FROM);
      expect(deployed.map(({ region, status }) => [region, status]).sort()).toEqual([
        ['eu-west-1', 'Failed'],
        ['us-east-1', 'Succeeded'],
      ]);
      expect(await releases()).toEqual(allOld());
      await expect(retry(run.id)).rejects.toThrow(/StageNotRetryableException/);

      await testbed.run(FROM, UNTIL);
      await expectAllNew();
    },
    2 * MINUTES,
  );

  test(
    'waits where there is no release to go back to; retry-stage-execution deploys that region alone',
    async () => {
      await testbed.reset(FROM);
      testbed.pipeline.executions.splice(0);
      await testbed.faults([{ ...fault, times: 1 }]);
      const run = await testbed.run(FROM, UNTIL);
      expect(run.status).toBe('Failed');
      expect(testbed.pipeline.executions).toEqual([run]);
      expect(await releases()).toEqual({ ...allOld(), ...inFirst });

      await retry(run.id);
      await testbed.settled();
      await expectAllNew();
      const attempts = run.actions.filter(({ stage }) => stage === FROM);
      expect(attempts.map(({ region, attempt }) => [region, attempt]).sort()).toEqual([
        ['eu-west-1', 1],
        ['eu-west-1', 2],
        ['us-east-1', 1],
      ]);
    },
    2 * MINUTES,
  );

  test(
    'fails to be taken back by rollback-stage, and is by a second one',
    async () => {
      await testbed.reset(FROM);
      await testbed.run(FROM, UNTIL);
      expect(await releases()).toEqual(allNew());
      await testbed.faults([{ ...fault, times: 1 }]);
      const failed = await rollBack();
      expect({ status: failed.status, message: failed.message }).toEqual({
        status: 'Failed',
        message: expect.stringContaining('release-222222222222-eu-west-1'),
      });
      // Each of them whole, on one release.
      expect(await releases()).toEqual({ ...allNew(), '222222222222/us-east-1': 'old' });

      expect((await rollBack()).status).toBe('Succeeded');
      expect(await releases()).toEqual(allOld());
      await testbed.run(FROM, UNTIL);
      await expectAllNew();
    },
    2 * MINUTES,
  );

  test(
    'fails on a parameter that its stack made and could not take away, until a person deletes it',
    async () => {
      const names = (contents: readonly TargetContents[]) =>
        Object.keys(contents[index]?.parameters ?? {});
      const known = names(testbed.expected(FROM));
      await failForGood(({ parameters, stacks }) => {
        const added = Object.keys(parameters).filter((name) => !known.includes(name));
        return stacks['layers-release'] === 'UPDATE_ROLLBACK_COMPLETE' && added.length > 0;
      });
      await testbed.faults([]);
      const again = await testbed.run(FROM, UNTIL);
      expect({ status: again.status, message: again.message }).toEqual({
        status: 'Failed',
        message: expect.stringMatching(/eu-west-1.*already exists/),
      });
      const left = names(await testbed.contents()).filter((name) => !known.includes(name));
      expect(left).toHaveLength(1);
      await testbed.awsIn(SECOND, 'ssm', 'delete-parameter', '--name', left[0] as string);
      await testbed.run(FROM, UNTIL);
      await expectAllNew();
    },
    2 * MINUTES,
  );

  test(
    'is never made, which the next run says before it deploys anything, until a person deletes its stack',
    async () => {
      await testbed.reset(FROM);
      const stack = ['--stack-name', 'layers-release'];
      await testbed.awsIn(SECOND, 'cloudformation', 'delete-stack', ...stack);
      await testbed.atRest();
      await testbed.faults([{ ...fault, times: 1 }]);
      expect((await testbed.run(FROM, UNTIL)).status).toBe('Failed');
      await testbed.atRest();
      const left = (await testbed.contents())[index] as TargetContents;
      expect(left.stacks['layers-release']).toBe('ROLLBACK_COMPLETE');
      expect(left.parameters).toEqual({});

      const again = await testbed.run('Publish', UNTIL);
      expect(again.status).toBe('Failed');
      const [preflight] = again.actions.filter(({ name }) => name === 'Preflight');
      expect(readFileSync(preflight?.log as string, 'utf8')).toContain(
        '222222222222/eu-west-1: stack layers-release is ROLLBACK_COMPLETE',
      );
      expect(again.actions.map(({ name }) => name)).not.toContain('Publish-zips');

      await testbed.awsIn(SECOND, 'cloudformation', 'delete-stack', ...stack);
      await testbed.run('Publish', UNTIL);
      await expectAllNew();
    },
    2 * MINUTES,
  );

  test(
    'stays between two releases where its stack cannot go back either, until a person lets it',
    async () => {
      const { contents, second } = await failForGood(
        ({ stacks }) => stacks['layers-release'] === 'UPDATE_ROLLBACK_FAILED',
      );
      expect(() => releasesOf(testbed, contents)).toThrow(SECOND.region);
      expect(testbed.pipeline.executions.at(-1)).toMatchObject({
        status: 'Failed',
        message: expect.stringContaining('UPDATE_ROLLBACK_FAILED'),
      });
      // What is between is whole in itself: every pointer is one of the two releases'.
      const [old, next] = [testbed.expected(FROM), testbed.expected(UNTIL)].map(
        (contents) => contents[index]?.parameters ?? {},
      );
      for (const [name, value] of Object.entries(second.parameters)) {
        expect([old?.[name], next?.[name]]).toContain(value);
      }
      expect(second.parameters).not.toEqual(old);

      await testbed.faults([]);
      await testbed.awsIn(
        SECOND,
        ...['cloudformation', 'continue-update-rollback', '--stack-name', 'layers-release'],
      );
      await testbed.atRest();
      expect((await releases())[`${SECOND.account}/${SECOND.region}`]).toBe('old');
      await testbed.run(FROM, UNTIL);
      await expectAllNew();
    },
    2 * MINUTES,
  );
});
