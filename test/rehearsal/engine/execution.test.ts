import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { action, COMMIT, cleanUp, eventOf, KEY, rehearsal } from './fixture';

afterEach(cleanUp);

const build = (name: string, rest = {}) =>
  action(name, 'CodeBuild', { InputArtifacts: [{ Name: 'Source' }], ...rest });
const stage = (name: string, ...actions: unknown[]) => ({ Name: name, Actions: actions });

test('runs stages in order, and actions of one run order together before the next', async () => {
  const { deploy, engine, fake } = rehearsal();
  deploy([
    stage('Build', build('late', { RunOrder: 2 }), build('a'), build('b')),
    stage('Test', build('c')),
  ]);
  engine.pushCommit(COMMIT);
  await engine.idle();
  expect(fake.started[0]).toBe('repo');
  expect(fake.started.slice(1, 3).sort()).toEqual(['a', 'b']);
  expect(fake.started.slice(3)).toEqual(['late', 'c']);
  const [execution] = engine.executions();
  expect(execution).toMatchObject({
    status: 'Succeeded',
    commitId: COMMIT.commitId,
    trigger: { type: 'Push' },
  });
  expect(execution?.stages.map((s) => [s.name, s.status])).toEqual([
    ['Source', 'Succeeded'],
    ['Build', 'Succeeded'],
    ['Test', 'Succeeded'],
  ]);
});

test('runs no more builds at once than the bound allows', async () => {
  const { deploy, engine, fake } = rehearsal({ codeBuild: 2 });
  // The first two wait for each other, so that the bound is reached.
  for (const name of ['a', 'b']) {
    fake.steps.set(name, async () => {
      while (fake.mostAtOnce < 2) await setImmediate();
      return {};
    });
  }
  deploy([stage('Build', build('a'), build('b'), build('c'), build('d'))]);
  engine.pushCommit(COMMIT);
  await engine.idle();
  expect(fake.started).toHaveLength(5);
  expect(fake.mostAtOnce).toBe(2);
});

test('fails an action whose log cannot be written, and goes on', async () => {
  const { deploy, dir, engine, fake } = rehearsal();
  fake.steps.set('repo', ({ executionId }) => {
    const logs = join(dir, 'logs', executionId);
    mkdirSync(join(logs, 'Full'));
    symlinkSync('/dev/full', join(logs, 'Full', 'written.log'));
    symlinkSync('/dev/full', join(logs, 'Full', 'failed.log'));
    writeFileSync(join(logs, 'Shut'), '');
    return {};
  });
  fake.steps.set('written', ({ log }) => {
    log.line('lost');
    return {};
  });
  fake.steps.set('failed', () => Promise.reject(new Error('no luck')));
  const message = async (...names: string[]) => {
    deploy([stage(names[0] === 'shut' ? 'Shut' : 'Full', ...names.map((name) => build(name)))]);
    engine.pushCommit(COMMIT);
    await engine.idle();
    const actions = engine.executions().at(-1)?.stages[1]?.actions;
    return actions?.map((run) => `${run.name} ${run.status}: ${run.message}`).sort();
  };
  expect(await message('written', 'failed')).toEqual([
    'failed Failed: Error: no luck',
    expect.stringMatching(/^written Failed: the action's log .*written\.log cannot be .*ENOSPC/),
  ]);
  expect(await message('shut')).toEqual([
    expect.stringMatching(/^shut Failed: .*(EEXIST|ENOTDIR)/),
  ]);
});

test('fails the stage after the actions beside the failed one have finished', async () => {
  const { deploy, engine, fake } = rehearsal();
  let finished = false;
  fake.steps.set('bad', () => Promise.reject(new Error('no luck')));
  fake.steps.set('slow', async () => {
    await eventOf(engine, (e) => e.action === 'bad' && e.status === 'Failed');
    finished = true;
    return {};
  });
  deploy([
    stage('Build', build('bad'), build('slow'), build('next', { RunOrder: 2 })),
    stage('Never', build('x')),
  ]);
  engine.pushCommit(COMMIT);
  await engine.idle();
  expect(finished).toBe(true);
  expect(fake.started).not.toContain('next');
  const [execution] = engine.executions();
  expect(execution).toMatchObject({ status: 'Failed', message: 'Build.bad: Error: no luck' });
  expect(execution?.stages.map((s) => s.name)).toEqual(['Source', 'Build']);
  const log = execution?.stages[1]?.actions.find((run) => run.name === 'bad')?.log ?? '';
  expect(readFileSync(log, 'utf8')).toContain('no luck');
});

test('resolves variables of the pipeline and of earlier actions, quotes kept safe inside JSON', async () => {
  const { deploy, engine, fake } = rehearsal();
  let seen: Readonly<Record<string, string>> = {};
  fake.steps.set('a', ({ configuration }) => {
    seen = configuration;
    return { outputVariables: { DIGEST: 'abc' } };
  });
  let digest = '';
  fake.steps.set('b', ({ configuration }) => {
    digest = configuration.ProjectName ?? '';
    return {};
  });
  deploy([
    stage(
      'Build',
      build('a', {
        Namespace: 'Build',
        Configuration: {
          ProjectName: '#{codepipeline.PipelineExecutionId}',
          EnvironmentVariables: '[{"name":"M","value":"#{Source.CommitMessage}"}]',
        },
      }),
    ),
    stage('Test', build('b', { Configuration: { ProjectName: 'p-#{Build.DIGEST}' } })),
  ]);
  const [id] = engine.pushCommit(COMMIT);
  await engine.idle();
  expect(seen.ProjectName).toBe(id);
  expect(JSON.parse(seen.EnvironmentVariables ?? '')).toEqual([
    { name: 'M', value: COMMIT.message },
  ]);
  expect(digest).toBe('p-abc');
});

test('fails the action that refers to a variable which no action exported', async () => {
  const { deploy, engine } = rehearsal();
  deploy([stage('Build', build('a', { Configuration: { ProjectName: '#{Source.Nothing}' } }))]);
  engine.pushCommit(COMMIT);
  await engine.idle();
  expect(engine.executions()[0]?.message).toContain('namespace "Source" has no variable "Nothing"');
});

test('cancels the execution that updated its own pipeline, and starts over from the source', async () => {
  const { deploy, engine, fake } = rehearsal();
  const restart = { RestartExecutionOnUpdate: 'true' };
  const first = [stage('Update', build('self')), stage('Deploy', build('old'))];
  const second = [stage('Update', build('self')), stage('Deploy', build('new'))];
  fake.steps.set('self', () => {
    deploy(second, restart);
    return {};
  });
  deploy(first, restart);
  engine.pushCommit(COMMIT);
  await engine.idle();
  expect(engine.executions().map((e) => [e.status, e.trigger.type, e.version, e.commitId])).toEqual(
    [
      ['Cancelled', 'Push', 1, COMMIT.commitId],
      ['Succeeded', 'PipelineUpdate', 2, COMMIT.commitId],
    ],
  );
  expect(fake.started).toEqual(['repo', 'self', 'repo', 'self', 'new']);
});

test('cancels without a restart where RestartExecutionOnUpdate is not set', async () => {
  const { deploy, engine, fake } = rehearsal();
  fake.steps.set('self', () => {
    deploy([stage('Update', build('self')), stage('Deploy', build('new'))]);
    return {};
  });
  deploy([stage('Update', build('self')), stage('Deploy', build('old'))]);
  engine.pushCommit(COMMIT);
  await engine.idle();
  expect(engine.executions().map((e) => e.status)).toEqual(['Cancelled']);
});

test('fails a pipeline that changes itself every time instead of restarting for ever', async () => {
  const { deploy, engine, fake } = rehearsal();
  const restart = { RestartExecutionOnUpdate: true };
  let round = 0;
  const stages = () => [
    stage('Update', build('self')),
    stage('Deploy', build(`deploy-${++round}`)),
  ];
  fake.steps.set('self', () => {
    deploy(stages(), restart);
    return {};
  });
  deploy(stages(), restart);
  engine.pushCommit(COMMIT);
  await engine.idle();
  const statuses = engine.executions().map((e) => e.status);
  expect(statuses).toEqual(['Cancelled', 'Cancelled', 'Cancelled', 'Cancelled', 'Failed']);
  expect(engine.executions().at(-1)?.message).toMatch(/^EndlessRestart: /);
});

test('queues a second push in front of an occupied stage, in order', async () => {
  const { deploy, engine, fake } = rehearsal();
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const order: string[] = [];
  fake.steps.set('slow', async ({ executionId }) => {
    order.push(executionId);
    await gate;
    return {};
  });
  deploy([stage('Build', build('slow'))]);
  const [one] = engine.pushCommit(COMMIT);
  const [two] = engine.pushCommit({ ...COMMIT, commitId: 'f'.repeat(40) });
  await eventOf(
    engine,
    (e) => e.executionId === two && e.stage === 'Source' && e.status === 'Succeeded',
  );
  const pipeline = engine.pipeline(KEY);
  await setImmediate();
  expect(pipeline.runner.inboundOf('Build')).toEqual([two]);
  open();
  await engine.idle();
  expect(order).toEqual([one, two]);
});

test('says nothing more of a failure once the retried stage has succeeded', async () => {
  const { deploy, engine, fake } = rehearsal();
  let tries = 0;
  fake.steps.set('a', () => (++tries === 1 ? Promise.reject(new Error('no luck')) : {}));
  let message: string | undefined;
  fake.steps.set('b', () => {
    message = engine.executions()[0]?.message;
    return {};
  });
  deploy([
    { ...stage('Build', build('a')), OnFailure: { Result: 'RETRY' } },
    stage('Test', build('b')),
  ]);
  engine.pushCommit(COMMIT);
  await engine.idle();
  expect(tries).toBe(2);
  expect(message).toBe('');
});

test('supersedes the waiting execution in SUPERSEDED mode', async () => {
  const { deploy, engine, fake } = rehearsal();
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  fake.steps.set('slow', async () => {
    await gate;
    return {};
  });
  deploy([stage('Build', build('slow'))], { ExecutionMode: 'SUPERSEDED' });
  const push = async (digit: string) => {
    const [id] = engine.pushCommit({ ...COMMIT, commitId: digit.repeat(40) });
    await eventOf(
      engine,
      (e) => e.executionId === id && e.type === 'stage' && e.status === 'Succeeded',
    );
    return id;
  };
  await push('1');
  const second = await push('2');
  await push('3');
  await eventOf(engine, (e) => e.executionId === second && e.status === 'Superseded');
  open();
  await engine.idle();
  const statuses = engine.executions().map((e) => e.status);
  expect(statuses).toEqual(['Succeeded', 'Superseded', 'Succeeded']);
});

test('stops after the running actions, or abandons them', async () => {
  const { deploy, engine, fake } = rehearsal();
  fake.steps.set('slow', ({ executionId, signal }) => {
    const abandon = engine.executions().length > 1;
    engine.pipeline(KEY).stop(executionId, abandon, 'enough');
    return signal.aborted ? Promise.reject(signal.reason) : {};
  });
  deploy([stage('Build', build('slow'), build('later', { RunOrder: 2 }))]);
  engine.pushCommit(COMMIT);
  await engine.idle();
  engine.pushCommit(COMMIT);
  await engine.idle();
  expect(fake.started).not.toContain('later');
  const statuses = engine
    .executions()
    .map((e) => [e.status, e.stages[1]?.actions[0]?.status, e.message]);
  expect(statuses).toEqual([
    ['Stopped', 'Succeeded', 'enough'],
    ['Stopped', 'Abandoned', 'enough'],
  ]);
  fake.steps.delete('slow');
  engine.pipeline(KEY).retry('Build', engine.executions()[1]?.id ?? '', 'FAILED_ACTIONS');
  await engine.idle();
  expect(engine.executions()[1]?.status).toBe('Succeeded');
});

test('retries only the failed actions, or all of them, and goes on', async () => {
  const { deploy, engine, fake } = rehearsal();
  let broken = true;
  fake.steps.set('bad', () => (broken ? Promise.reject(new Error('not yet')) : {}));
  deploy([stage('Build', build('good'), build('bad')), stage('End', build('end'))]);
  const [id] = engine.pushCommit(COMMIT) as [string];
  await engine.idle();
  engine.pipeline(KEY).retry('Build', id, 'ALL_ACTIONS');
  await engine.idle();
  broken = false;
  engine.pipeline(KEY).retry('Build', id, 'FAILED_ACTIONS');
  await engine.idle();
  expect(fake.started.filter((name) => name === 'good')).toHaveLength(2);
  const [execution] = engine.executions();
  expect(execution?.status).toBe('Succeeded');
  const attempts = execution?.stages[1]?.actions.filter((run) => run.name === 'bad') ?? [];
  expect(attempts.map((run) => run.status)).toEqual(['Failed', 'Failed', 'Succeeded']);
  expect(new Set(attempts.map((run) => run.log)).size).toBe(3);
  expect(attempts.every((run) => existsSync(run.log))).toBe(true);
  expect(() => engine.pipeline(KEY).retry('Build', id, 'FAILED_ACTIONS')).toThrow(/can be retried/);
});

test('retries a stage once by itself where OnFailure says so', async () => {
  const { deploy, engine, fake } = rehearsal();
  fake.steps.set('flaky', () =>
    fake.started.filter((name) => name === 'flaky').length === 1
      ? Promise.reject(new Error('once'))
      : {},
  );
  deploy([
    {
      ...stage('Build', build('flaky')),
      OnFailure: { Result: 'RETRY', RetryConfiguration: { RetryMode: 'FAILED_ACTIONS' } },
    },
  ]);
  engine.pushCommit(COMMIT);
  await engine.idle();
  expect(engine.executions()[0]?.status).toBe('Succeeded');
  expect(fake.started).toEqual(['repo', 'flaky', 'flaky']);
});

test('takes a failed stage back to its last success where OnFailure says so', async () => {
  const { deploy, engine, fake } = rehearsal();
  deploy([{ ...stage('Release', build('release')), OnFailure: { Result: 'ROLLBACK' } }]);
  engine.pushCommit(COMMIT);
  await engine.idle();
  engine.pushCommit({ ...COMMIT, commitId: 'f'.repeat(40) });
  fake.steps.set('release', () => {
    fake.steps.delete('release');
    return Promise.reject(new Error('no'));
  });
  await engine.idle();
  expect(engine.executions().map(({ trigger, status }) => [trigger.type, status])).toEqual([
    ['Push', 'Succeeded'],
    ['Push', 'Failed'],
    ['AutomatedRollback', 'Succeeded'],
  ]);
});

test('rolls a stage back with the artifacts and variables of the target execution', async () => {
  const { deploy, engine, fake } = rehearsal();
  const seen: unknown[] = [];
  fake.steps.set('deploy', ({ configuration, inputs }) => {
    seen.push([configuration.StackName, inputs[0]?.locations.get('eu-west-1')?.key]);
    return {};
  });
  deploy([
    stage(
      'Deploy',
      action('deploy', 'CloudFormation', {
        InputArtifacts: [{ Name: 'Source' }],
        Configuration: { StackName: 'stack-#{Source.CommitId}' },
      }),
    ),
    stage('End', build('end')),
  ]);
  const [first] = engine.pushCommit(COMMIT) as [string];
  await engine.idle();
  engine.pushCommit({ ...COMMIT, commitId: 'f'.repeat(40) });
  await engine.idle();
  engine.pipeline(KEY).rollback('Deploy', first);
  await engine.idle();
  expect(seen[2]).toEqual(seen[0]);
  expect(seen[1]).not.toEqual(seen[0]);
  const last = engine.executions().at(-1);
  expect(last).toMatchObject({
    status: 'Succeeded',
    trigger: { type: 'ManualRollback', detail: first },
  });
  expect(last?.stages.map((s) => s.name)).toEqual(['Deploy']);
  expect(() => engine.pipeline(KEY).rollback('Source', first)).toThrow(/cannot be rolled back/);
});

test('retries a rollback without what comes after its stage', async () => {
  const { deploy, engine, fake } = rehearsal();
  deploy([stage('Deploy', build('deploy')), stage('End', build('end'))]);
  const [first] = engine.pushCommit(COMMIT) as [string];
  await engine.idle();
  fake.steps.set('deploy', () => Promise.reject(new Error('not yet')));
  const { id } = engine.pipeline(KEY).rollback('Deploy', first);
  await engine.idle();
  fake.steps.delete('deploy');
  engine.pipeline(KEY).retry('Deploy', id, 'FAILED_ACTIONS');
  await engine.idle();
  const last = engine.executions().at(-1);
  expect([last?.status, last?.stages.map((s) => s.name)]).toEqual(['Succeeded', ['Deploy']]);
  expect(fake.started.filter((name) => name === 'end')).toHaveLength(1);
});

test('an approval that waits ends with its definition, and is asked for again', async () => {
  const { deploy, engine } = rehearsal();
  const stages = (name: string) => [
    stage('Approve', action('ask', 'Manual')),
    stage(name, build('b')),
  ];
  const waiting = (since: number) =>
    eventOf(engine, (e) => e.sequence > since && e.message === 'waits for approval');
  deploy(stages('One'), { RestartExecutionOnUpdate: true });
  engine.pushCommit(COMMIT);
  const { sequence } = await waiting(0);
  deploy(stages('Two'), { RestartExecutionOnUpdate: true });
  const { executionId } = await waiting(sequence);
  const [old, anew] = engine.executions();
  expect(old).toMatchObject({ status: 'Cancelled', trigger: { type: 'Push' } });
  expect(old?.stages[1]).toMatchObject({ status: 'Cancelled', actions: [{ status: 'Abandoned' }] });
  expect(anew).toMatchObject({ id: executionId, trigger: { type: 'PipelineUpdate' } });
});

test('starts only pipelines whose repository, branch and path filters match the push', () => {
  const { deploy, engine } = rehearsal();
  deploy([stage('Build', build('a'))], {
    Triggers: [
      {
        ProviderType: 'CodeStarSourceConnection',
        GitConfiguration: {
          SourceActionName: 'repo',
          Push: [
            {
              Branches: { Includes: ['main', 'release/*'] },
              FilePaths: { Excludes: ['docs/**', '*.md'] },
            },
          ],
        },
      },
    ],
  });
  const started = (change: object) => engine.pushCommit({ ...COMMIT, ...change }).length;
  expect(started({ changedFiles: ['lib/a.ts', 'README.md'] })).toBe(1);
  expect(started({ changedFiles: ['docs/a/b.md', 'README.md'] })).toBe(0);
  expect(started({ branch: 'release/1' })).toBe(1);
  expect(started({ branch: 'release/1/x' })).toBe(0);
  expect(started({ repository: 'other/repo' })).toBe(0);
});

test('fails to push what is no commit', () => {
  const { engine } = rehearsal();
  expect(() => engine.pushCommit({ ...COMMIT, commitId: 'HEAD' })).toThrow(
    /commitId: must be the hexadecimal/,
  );
});

test('ends every execution and leaves no log open when the engine stops', async () => {
  const { deploy, dir, engine, fake } = rehearsal();
  fake.steps.set(
    'slow',
    ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
  );
  deploy([stage('Build', build('slow'), action('ask', 'Manual'))]);
  const [id] = engine.pushCommit(COMMIT) as [string];
  await eventOf(engine, (e) => e.action === 'ask' && e.message === 'waits for approval');
  await engine.stop();
  const [execution] = engine.executions();
  expect(execution?.status).toBe('Stopped');
  expect(execution?.stages[1]?.actions.map((run) => run.status)).toEqual([
    'Abandoned',
    'Abandoned',
  ]);
  expect(readFileSync(join(dir, 'logs', id, 'Build', 'slow.log'), 'utf8')).toContain(
    'the rehearsal was stopped',
  );
});
