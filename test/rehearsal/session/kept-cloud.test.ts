import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CloudHandle,
  type CloudState,
  readInvocations,
  stopKept,
} from '../../../lib/rehearsal/daemon';
import { KEPT_FILE, readKept, writeState } from '../../../lib/rehearsal/daemon/state';
import { isAlive } from '../../../lib/rehearsal/processes';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kept-'));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function keep(pid: number): CloudState {
  const stateDir = join(root, 'state');
  mkdirSync(stateDir, { recursive: true });
  const state: CloudState = {
    pid,
    stateDir,
    engineUrl: 'http://127.0.0.1:9',
    endpoint: 'https://localhost:9',
    caFile: join(stateDir, 'server.crt'),
    invocationsFile: join(stateDir, 'invocations.ndjson'),
    awsBin: 'aws',
  };
  writeState(join(root, KEPT_FILE), state);
  return state;
}

const isKept = () => existsSync(join(root, KEPT_FILE));

describe('the kept local cloud', () => {
  test('is none where there is no file', async () => {
    expect(readKept(root)).toBeUndefined();
    expect(await stopKept(root)).toBe(false);
  });

  test('is none where its process has ended; the file and the folder are removed', async () => {
    const { pid } = spawnSync('true');
    const state = keep(pid);
    const { stateDir } = state;
    expect(readKept(root)).toBeUndefined();
    expect([isKept(), existsSync(stateDir)]).toEqual([false, false]);
    keep(pid);
    expect(await stopKept(root)).toBe(false);
    expect(isKept()).toBe(false);
  });

  test('is none where another program has its process id by now; that one lives on', async () => {
    const other = spawn('sleep', ['1000']);
    try {
      keep(other.pid as number);
      expect(await stopKept(root)).toBe(false);
      expect(isKept()).toBe(false);
      expect(other.exitCode ?? other.signalCode).toBeNull();
      expect(isAlive(other.pid as number)).toBe(true);
    } finally {
      other.kill('SIGKILL');
      await once(other, 'exit');
    }
  });

  test.each(['{', '{}', 'null'])('fails on a file that tells of none: %s', (text) => {
    mkdirSync(join(root, '.rehearsal'));
    writeFileSync(join(root, KEPT_FILE), text);
    expect(() => readKept(root)).toThrow(expect.objectContaining({ code: 'InvalidKeptCloud' }));
  });

  test('ends, politely at first, and the file with it', async () => {
    const cloud = await localCloud('process.exit(0)');
    const state = keep(cloud.pid as number);
    expect(readKept(root)).toEqual(state);
    expect(await stopKept(root)).toBe(true);
    expect(isKept()).toBe(false);
    expect(isAlive(state.pid)).toBe(false);
  });
});

/** A process with the command line of a local cloud, that does something on SIGTERM. */
async function localCloud(onTerm: string): Promise<ChildProcess> {
  const file = join(root, 'rehearse.js');
  const script = `process.on('SIGTERM', () => { ${onTerm} }); setInterval(() => {}, 1000); console.log('up');`;
  writeFileSync(file, script);
  const child = spawn(process.execPath, [file, 'local-cloud', join(root, 'state'), root], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  return child;
}

test('a second rehearsal of a checkout is refused, and the logs of the first stay', async () => {
  const first = await localCloud('process.exit(0)');
  const logs = join(root, 'logs');
  mkdirSync(logs);
  writeFileSync(join(logs, 'rehearsal.pid'), String(first.pid));
  await expect(CloudHandle.open(root, logs)).rejects.toMatchObject({
    code: 'RehearsalRunning',
    message: expect.stringContaining(`process ${first.pid} rehearses in this checkout`),
  });
  expect(existsSync(join(logs, 'rehearsal.pid'))).toBe(true);
  first.kill('SIGKILL');
  await once(first, 'exit');
});

test('a checkout that takes no files is said before anything is made', async () => {
  writeFileSync(join(root, 'file'), '');
  const opened = CloudHandle.open(root, join(root, 'file/logs'));
  await expect(opened).rejects.toMatchObject({ code: 'WriteFailed' });
});

describe('invocations', () => {
  test('are none before the first, and then one a line', () => {
    const file = join(root, 'invocations.ndjson');
    expect(readInvocations(file)).toEqual([]);
    const call = { functionArn: 'arn', how: 'native', isolation: 'namespace', milliseconds: 1 };
    writeFileSync(file, `${JSON.stringify(call)}\n${JSON.stringify(call)}\n`);
    expect(readInvocations(file)).toEqual([call, call]);
  });
});
