import { LayersError } from '../../../lib/errors';
import type { EngineEvent } from '../../../lib/rehearsal/engine';
import { EngineClient } from '../../../lib/rehearsal/session/client';
import type { Display } from '../../../lib/rehearsal/session/display';
import { follow } from '../../../lib/rehearsal/session/follow';
import { action, COMMIT, cleanUp, eventOf, type Rehearsal, rehearsal } from '../engine/fixture';

const STAGES = [{ Name: 'Approve', Actions: [action('Approve-all', 'Manual')] }];

let subject: Rehearsal;
let client: EngineClient;

beforeEach(async () => {
  subject = rehearsal();
  const { url: engineUrl } = await subject.engine.listen();
  client = new EngineClient({ engineUrl } as ConstructorParameters<typeof EngineClient>[0]);
});

afterEach(cleanUp);

const waiting = (): Promise<EngineEvent> =>
  eventOf(subject.engine, (e) => e.action === 'Approve-all' && e.message !== undefined);

test('the newest event is none before the first, and then the last of all', async () => {
  expect(await client.lastEvent()).toBe(0);
  subject.deploy(STAGES);
  await client.push(COMMIT);
  const { sequence } = await waiting();
  expect(await client.lastEvent()).toBe(sequence);
});

test('events keep their text, wherever the bytes are cut', async () => {
  const outputVariables = { Text: 'größer'.repeat(50_000) };
  subject.fake.steps.set('repo', () => ({ outputVariables }));
  subject.deploy([
    {
      Name: 'Approve',
      Actions: [
        action('Approve-all', 'Manual', { Configuration: { CustomData: '#{Source.Text}' } }),
      ],
    },
  ]);
  await client.push(COMMIT);
  const { sequence, message } = await waiting();
  for await (const event of client.events(sequence - 1, new AbortController().signal)) {
    expect(event.message).toBe(message);
    break;
  }
});

test('fails in one message when the local cloud is killed', async () => {
  subject.deploy(STAGES);
  await client.push(COMMIT);
  await waiting();
  const read = async () => {
    for await (const { message } of client.events(0, new AbortController().signal)) {
      if (message) void subject.engine.stop();
    }
  };
  await expect(read()).rejects.toMatchObject({
    code: 'LocalCloudEnded',
    message: expect.stringContaining('rehearse again'),
  });
});

test('an approval is answered once, whoever is quicker', async () => {
  subject.deploy(STAGES);
  const [id] = await client.push(COMMIT);
  const event = await waiting();
  await client.answerApproval(event, true);
  await subject.engine.idle();
  await client.answerApproval(event, false);
  const executions = await client.executions();
  expect(executions.map((e) => [e.id, e.status])).toEqual([[id, 'Succeeded']]);
});

test('executions have ended once they are stopped', async () => {
  subject.deploy(STAGES);
  await client.push(COMMIT);
  await waiting();
  await client.stopExecutions();
  expect((await client.executions()).map(({ status }) => status)).toEqual(['Stopped']);
});

test('an interruption ends the wait for a pipeline that nothing starts', async () => {
  expect(await client.push(COMMIT)).toEqual([]);
  const abort = new AbortController();
  const followed = follow({
    client,
    since: 0,
    commitId: COMMIT.commitId,
    others: new Set(),
    approve: 'none',
    display: { event: () => undefined } as unknown as Display,
    signal: abort.signal,
  });
  setTimeout(() => abort.abort(new LayersError('Interrupted', 'interrupted')), 50);
  await expect(followed).rejects.toMatchObject({ code: 'Interrupted' });
});
