import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetParametersByPathCommand, SSMClient } from '@aws-sdk/client-ssm';
import { mockClient } from 'aws-sdk-client-mock';
import { planCommand } from '../../lib/preview';
import { planLocally } from '../../lib/preview/preview';
import { planOf, rawConfig } from '../pipeline/fixture';
import { awsError } from '../publish/fixture';

jest.mock('../../lib/preview/preview', () => {
  const actual = jest.requireActual('../../lib/preview/preview');
  return { ...actual, planLocally: jest.fn(actual.planLocally) };
});

const ssm = mockClient(SSMClient);
const dir = mkdtempSync(join(tmpdir(), 'layers-plan-test-'));
const config = join(dir, 'delivery.json');
const json = join(dir, 'plan.json');
let printed: string[];

beforeEach(() => {
  ssm.reset();
  ssm.on(GetParametersByPathCommand).resolves({ Parameters: [] });
  printed = [];
  jest.spyOn(console, 'log').mockImplementation((line) => void printed.push(line));
  writeFileSync(config, JSON.stringify(rawConfig()));
});
afterEach(() => jest.mocked(console.log).mockRestore());
afterAll(() => rmSync(dir, { recursive: true }));

const plan = (...args: string[]) =>
  planCommand(dir).parseAsync(['--config', config, ...args], { from: 'user' });

/** As if every layer were built on this machine. */
function everythingBuilt() {
  jest.mocked(planLocally).mockReturnValueOnce({ plan: planOf(), unbuilt: [] });
}

test('says which layers are not built, and still plans', async () => {
  await plan();
  expect(printed.join('\n')).toContain('layer   deno 2.9.5 arm64: not built here');
});

test('fails to compare layers that are not built, and says how to build them', async () => {
  await expect(plan('--against', 'aws')).rejects.toMatchObject({
    code: 'LayersNotBuilt',
    message: expect.stringContaining('4 of 4 layers are not built here'),
  });
  expect(ssm.calls()).toEqual([]);
});

test('writes what would change beside the plan', async () => {
  everythingBuilt();
  await plan('--against', 'aws', '--json', json);
  expect(printed.join('\n')).toContain('888888888888/us-east-1: 16 new, 0 moved, 0 dropped');
  const { changes } = JSON.parse(readFileSync(json, 'utf8'));
  expect(changes).toHaveLength(4);
});

test('fails where a target could not be read, after it has told and written everything', async () => {
  everythingBuilt();
  ssm.on(GetParametersByPathCommand).rejects(awsError('AccessDeniedException', 'not you'));
  await expect(plan('--against', 'aws', '--json', json)).rejects.toMatchObject({
    code: 'TargetsUnread',
    message: expect.stringMatching(/^4 of 4 targets could not be read, see above; bootstrap them/),
  });
  expect(printed.join('\n')).toContain(
    '888888888888/us-east-1: could not be read: ssm:GetParametersByPath is denied',
  );
  const { changes } = JSON.parse(readFileSync(json, 'utf8'));
  expect(changes[0].problem).toContain('is denied');
});
