import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rawConfig } from '../pipeline/fixture';

jest.setTimeout(60_000);

const dir = mkdtempSync(join(tmpdir(), 'layers-plan-test-'));
afterAll(() => rmSync(dir, { recursive: true }));

function plan(config: object, ...args: string[]) {
  const file = join(dir, 'delivery.json');
  writeFileSync(file, JSON.stringify(config));
  return new Promise<{ status: number; stdout: string; stderr: string }>((resolve) => {
    execFile(
      process.execPath,
      [join(__dirname, '../../bin/plan.js'), '--config', file, ...args],
      { cwd: dir, env: { PATH: process.env.PATH, HOME: dir } },
      (error, stdout, stderr) => resolve({ status: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

test('prints the plan and writes it as JSON, without network or credentials', async () => {
  const json = join(dir, 'plan.json');
  const { status, stdout, stderr } = await plan(rawConfig(), '--json', json);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain('pipeline layers in 999999999999/us-east-1: 4 layers, 4 targets');
  expect(JSON.parse(readFileSync(json, 'utf8'))).toMatchObject({
    schemaVersion: 1,
    name: 'layers',
  });
});

test.each([
  [['--json', ''], 'it is empty; write a path'],
  [['--json', dir], 'error [WriteFailed]: '],
  [['--json', '/proc/no/plan.json'], 'error [WriteFailed]: '],
  [['--role-name', 'x'], 'add --against aws'],
])('fails on %j in one message', async (args, message) => {
  const { status, stderr } = await plan(rawConfig(), ...args);
  expect(status).toBe(1);
  expect(stderr).toContain(message);
  expect(stderr).not.toContain('    at ');
});

test('fails with every problem of the configuration', async () => {
  const raw = rawConfig();
  raw.home.account = '12';
  raw.waves[0].regions = ['eu-west-11'];
  const { status, stderr } = await plan(raw);
  expect(status).toBe(1);
  expect(stderr).toContain('error [InvalidConfiguration]: configuration has 2 problems:');
});

test('fails on a quota with field, number and cure', async () => {
  const raw = rawConfig();
  raw.waves = Array.from({ length: 24 }, (_, index) => ({
    name: `w${index}`,
    accounts: [String(700000000000 + index)],
    regions: ['us-east-1'],
  }));
  const { status, stderr } = await plan(raw);
  expect(status).toBe(1);
  expect(stderr).toBe(
    'error [QuotaExceeded]: this configuration does not fit into AWS:\n  - delivery.waves: 52 stages of the pipeline, AWS takes 50; put targets into fewer waves, or give some of the accounts and regions to a second pipeline (another name)\n',
  );
});
