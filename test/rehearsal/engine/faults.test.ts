import { readFileSync } from 'node:fs';
import { action, COMMIT, cleanUp, KEY, rehearsal } from './fixture';

afterEach(cleanUp);

const build = (name: string) => action(name, 'CodeBuild', { InputArtifacts: [{ Name: 'Source' }] });
const stage = (name: string, ...actions: unknown[]) => ({ Name: name, Actions: actions });

test.each([
  ['killed', 'action a was killed: a fault that was asked for'],
  ['timed-out', 'action a did not end within its time: a fault that was asked for'],
] as const)('fails an action that is %s in the middle of its work', async (kind, message) => {
  const { deploy, engine, fake } = rehearsal();
  let reason: unknown;
  fake.steps.set('a', ({ begun, signal }) => {
    begun();
    return new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        reason = signal.reason;
        reject(new Error('the signal of the process'));
      });
    });
  });
  deploy([stage('Build', build('a'), build('b'))]);
  engine.faults.set([{ action: 'a', kind, afterSeconds: 0 }]);
  engine.pushCommit(COMMIT);
  await engine.idle();
  const [execution] = engine.executions();
  expect(execution).toMatchObject({ status: 'Failed', message: `Build.a: ${message}` });
  const [a, b] = execution?.stages[1]?.actions ?? [];
  expect(a).toMatchObject({ name: 'a', status: 'Failed', message });
  expect(readFileSync(a?.log as string, 'utf8')).toContain(message);
  // The others go on.
  expect(b).toMatchObject({ name: 'b', status: 'Succeeded' });
  expect(reason).toMatchObject({ message });
  expect(engine.faults.counts()).toEqual([1]);
});

test('loses the result of an action that ends before the fault', async () => {
  const { deploy, engine } = rehearsal();
  const producer = { ...build('a'), OutputArtifacts: [{ Name: 'Out' }] };
  deploy([stage('Build', producer)]);
  engine.faults.set([{ action: 'a', kind: 'killed', afterSeconds: 600 }]);
  const [id = ''] = engine.pushCommit(COMMIT);
  await engine.idle();
  const execution = engine.pipeline(KEY).execution(id);
  expect(execution.status).toBe('Failed');
  expect([...execution.artifacts.keys()]).toEqual(['Source']);
});

test('tells what failed by itself in its own words', async () => {
  const { deploy, engine, fake } = rehearsal();
  fake.steps.set('a', () => Promise.reject(new Error('no luck')));
  deploy([stage('Build', build('a'))]);
  engine.faults.set([{ action: 'a', kind: 'killed', afterSeconds: 600 }]);
  engine.pushCommit(COMMIT);
  await engine.idle();
  expect(engine.executions()[0]?.message).toBe('Build.a: Error: no luck');
});

test('strikes as often as it is asked to, and no other action', async () => {
  const { deploy, engine } = rehearsal();
  const retried = { ...stage('Build', build('a')), OnFailure: { Result: 'RETRY' } };
  deploy([retried, stage('Test', build('b'))]);
  engine.faults.set([
    { action: 'a', kind: 'killed', times: 1 },
    { action: 'other', kind: 'killed' },
  ]);
  engine.pushCommit(COMMIT);
  await engine.idle();
  const [execution] = engine.executions();
  expect(execution?.status).toBe('Succeeded');
  expect(execution?.stages[1]?.actions.map(({ status }) => status)).toEqual([
    'Failed',
    'Succeeded',
  ]);
  expect(engine.faults.counts()).toEqual([1, 0]);
});

describe('starting at a later stage', () => {
  test('takes the artifacts and variables of the stages before from another execution', async () => {
    const { deploy, engine, fake } = rehearsal();
    const producer = {
      ...build('a'),
      Namespace: 'A',
      OutputArtifacts: [{ Name: 'Out' }],
    };
    const consumer = action('c', 'CodeBuild', {
      InputArtifacts: [{ Name: 'Out' }],
      OutputArtifacts: [{ Name: 'Late' }],
      Configuration: { EnvironmentVariables: '#{A.value}' },
    });
    deploy([stage('Build', producer), stage('Test', build('b'), consumer)]);
    fake.steps.set('a', () => ({ outputVariables: { value: 'made by a' } }));
    const [id = ''] = engine.pushCommit(COMMIT);
    await engine.idle();
    const pipeline = engine.pipeline(KEY);
    const precedent = pipeline.execution(id);
    precedent.artifacts.get('Out')?.locations.set('us-east-1', { bucket: 'copy', key: 'gone' });

    fake.started.length = 0;
    const seen: unknown[] = [];
    fake.steps.set('c', ({ configuration, inputs }) => {
      seen.push(configuration.EnvironmentVariables, [...(inputs[0]?.locations.keys() ?? [])]);
      return {};
    });
    const execution = pipeline.startAt('Test', precedent);
    // What the later stages wrote is not there before they have run.
    expect([...execution.artifacts.keys()].sort()).toEqual(['Out', 'Source']);
    await engine.idle();
    expect(fake.started.sort()).toEqual(['b', 'c']);
    expect(seen).toEqual(['made by a', [KEY.region]]);
    expect(execution.report()).toMatchObject({
      status: 'Succeeded',
      commitId: COMMIT.commitId,
      stages: [{ name: 'Source' }, { name: 'Build' }, { name: 'Test' }],
    });
  });

  test('fails where the other execution has not passed the stages before', async () => {
    const { deploy, engine, fake } = rehearsal();
    fake.steps.set('a', () => Promise.reject(new Error('no luck')));
    deploy([stage('Build', build('a')), stage('Test', build('b'))]);
    const [id = ''] = engine.pushCommit(COMMIT);
    await engine.idle();
    const pipeline = engine.pipeline(KEY);
    expect(() => pipeline.startAt('Test', pipeline.execution(id))).toThrow(
      `stage Build did not succeed in execution ${id}`,
    );
  });
});
