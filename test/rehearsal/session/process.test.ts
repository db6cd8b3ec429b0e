import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from '../../../lib/rehearsal/processes';
import { tailOf } from '../../../lib/rehearsal/session/log-tail';
import { killRunning, runLogged } from '../../../lib/rehearsal/session/process';

describe('running a program', () => {
  let dir: string;
  let logFile: string;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'process-'));
    logFile = join(dir, 'logs/step.log');
  });

  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const run = (script: string) =>
    runLogged('bash', ['-c', script], { cwd: dir, env: process.env, logFile, what: 'the step' });

  test('keeps everything that it prints, and adds to an older log', async () => {
    await run('echo one; echo two >&2');
    await run('echo three');
    expect(readFileSync(logFile, 'utf8').trim().split('\n').sort()).toEqual([
      'one',
      'three',
      'two',
    ]);
    expect(tailOf(logFile, 1)).toEqual(['three']);
  });

  test('fails with what it said last, its status and the path of the log', async () => {
    await expect(run('echo before; echo reason >&2; exit 3')).rejects.toMatchObject({
      code: 'StepFailed',
      message: expect.stringMatching(/^the step ended with status 3; whole log: .*step\.log\n/),
    });
    await expect(run('exit 3; ')).rejects.toThrow('status 3');
  });

  test('fails where there is no such program', async () => {
    const missing = runLogged(join(dir, 'no-such-program'), [], {
      cwd: dir,
      env: process.env,
      logFile,
      what: 'x',
    });
    await expect(missing).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('ends it with all its children when the rehearsal is interrupted', async () => {
    const step = run('sleep 1000 & echo $!; wait');
    const failed = expect(step).rejects.toThrow('ended with SIGKILL');
    let child = 0;
    while (child === 0) {
      child = Number(tailOf(logFile, 1)[0] ?? 0);
      await sleep(5);
    }
    expect(isAlive(child)).toBe(true);
    killRunning();
    await failed;
    while (isAlive(child)) await sleep(5);
  });
});

test('the tail of a log that does not exist is empty', () => {
  expect(tailOf(join(tmpdir(), 'no-such.log'), 5)).toEqual([]);
});
