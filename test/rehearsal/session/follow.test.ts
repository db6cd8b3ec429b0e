import type { EngineEvent } from '../../../lib/rehearsal/engine';
import type { EngineClient } from '../../../lib/rehearsal/session/client';
import type { Display } from '../../../lib/rehearsal/session/display';
import { type Followed, follow } from '../../../lib/rehearsal/session/follow';

const OURS = 'a'.repeat(40);
const OTHER = 'b'.repeat(40);

const ended = (executionId: string, status: string, message?: string): Partial<EngineEvent> => ({
  type: 'execution',
  executionId,
  status,
  message,
});
const approval = (executionId: string): Partial<EngineEvent> => ({
  type: 'action',
  executionId,
  stage: 'production-approval',
  action: 'Approve-production',
  status: 'InProgress',
});

/** Follows commit OURS through the events; execution ids that begin with `x` carry another commit. */
async function followed(
  events: Partial<EngineEvent>[],
  { others = [] as string[], approvals = [] as boolean[] } = {},
): Promise<Followed> {
  const client = {
    async *events() {
      for (const [index, event] of events.entries()) yield { sequence: index + 1, ...event };
    },
    executions: async () =>
      events.map(({ executionId = '' }) => ({
        id: executionId,
        ...(executionId === 'back' && {
          trigger: { type: 'AutomatedRollback' },
          status: 'InProgress',
        }),
        ...(executionId.startsWith('early')
          ? {}
          : { commitId: executionId.startsWith('x') ? OTHER : OURS }),
      })),
    answerApproval: async (_: unknown, approved: boolean) => void approvals.push(approved),
  } as unknown as EngineClient;
  return follow({
    client,
    since: 0,
    commitId: OURS,
    others: new Set(others),
    approve: 'none',
    display: { event: () => undefined } as unknown as Display,
    signal: new AbortController().signal,
  });
}

test('ends with the execution of the commit', async () => {
  const events = [ended('one', 'InProgress'), ended('one', 'Succeeded'), ended('one', 'Failed')];
  expect(await followed(events)).toEqual({ problems: [], last: 2 });
});

test('goes on after an execution that the pipeline cancelled for its own update', async () => {
  const events = [ended('one', 'Cancelled'), ended('two', 'Failed', 'Smoke-pilot failed')];
  expect(await followed(events)).toEqual({
    problems: ['execution two failed: Smoke-pilot failed'],
    last: 2,
  });
});

test('leaves out executions that began before, and those of other commits', async () => {
  const events = [ended('old', 'Failed'), ended('x-restart', 'Succeeded'), ended('one', 'Stopped')];
  expect(await followed(events, { others: ['old'] })).toEqual({
    problems: ['execution one stopped: '],
    last: 3,
  });
});

test('waits for the rollback that a failure brings about, and still tells of the failure', async () => {
  const events = [ended('one', 'Failed', 'no parameter'), ended('back', 'Succeeded')];
  expect(await followed(events)).toEqual({
    problems: ['execution one failed: no parameter'],
    last: 2,
  });
  const [failure] = events;
  expect(await followed([failure, ended('back', 'Failed', 'neither')])).toEqual({
    problems: ['execution one failed: no parameter', 'execution back failed: neither'],
    last: 2,
  });
});

test('counts an execution that failed before it had a commit', async () => {
  const { problems } = await followed([ended('early', 'Failed', 'no commit')]);
  expect(problems).toEqual(['execution early failed: no commit']);
});

test('answers each approval once, although its event comes again', async () => {
  const approvals: boolean[] = [];
  await followed([approval('one'), approval('one'), ended('one', 'Failed')], { approvals });
  expect(approvals).toEqual([false]);
});

test('says that the local cloud ended first', async () => {
  const { problems } = await followed([ended('one', 'InProgress')]);
  expect(problems).toEqual(['the local cloud ended before the pipeline did']);
});
