import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { invokeCommand } from '../../lib/invoke/command';

jest.setTimeout(60_000);

const SCRIPT = resolve(__dirname, '../../bin/invoke.js');
const scratch = mkdtempSync(join(tmpdir(), 'invoke-test-'));
const running = new Set<ChildProcess>();

afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(scratch, { recursive: true, force: true });
});

/** A folder with one function, and one for what the command writes. */
function folder(name: string, source: string) {
  const code = join(scratch, name);
  const temporary = join(scratch, `${name}-tmp`);
  mkdirSync(code);
  mkdirSync(temporary);
  writeFileSync(join(code, 'index.mjs'), source);
  return { code, temporary };
}

/** What is left of a run; the compiler keeps a cache of its own there. */
function leftIn(temporary: string): string[] {
  return readdirSync(temporary);
}

const environment = (temporary: string) => ({ ...process.env, TMPDIR: temporary });

async function invoke(args: string[], { input = '', temporary = tmpdir() } = {}) {
  return new Promise<{ status: number; stdout: string; stderr: string }>((done) => {
    const child = execFile(
      process.execPath,
      [SCRIPT, ...args],
      { env: environment(temporary) },
      (error, stdout, stderr) => {
        done({ status: error ? Number(error.code) : 0, stdout, stderr });
      },
    );
    child.stdin?.end(input);
  });
}

describe('invoke', () => {
  test("runs a runtime's example, and answers its result alone on standard output", async () => {
    const { temporary } = folder('example', '');
    const said = await invoke(['node', '--event', '{"name":"world"}'], { temporary });
    expect(said).toMatchObject({ status: 0 });
    expect(JSON.parse(said.stdout)).toMatchObject({ runtime: 'node', event: { name: 'world' } });
    expect(said.stderr).toMatch(/answered {2}node \d+\.\d+\.\d+ \w+, native.*: init \d+ ms, /);
    expect(leftIn(temporary)).toEqual([]);
  });

  test('runs a function of your own with its variables, memory and log', async () => {
    const { code } = folder(
      'own',
      `export const answer = (event, context) => {
        console.log('greeting', process.env.GREETING + '\\nof two lines');
        return { event, memory: context.memoryLimitInMB };
      };`,
    );
    const options = ['--code', code, '--handler', 'index.answer', '--env', 'GREETING=a=b'];
    const said = await invoke(['node', ...options, '--memory', '256', '--event', '-'], {
      input: '[1]',
    });
    expect(said.status).toBe(0);
    expect(JSON.parse(said.stdout)).toEqual({ event: [1], memory: '256' });
    expect(said.stderr).toMatch(/\tINFO\tgreeting a=b\nof two lines\n/);
  });

  test('fails with status 1 when the function does, and prints its error', async () => {
    const { code, temporary } = folder(
      'failing',
      "export const handler = () => { throw new RangeError('too far'); };",
    );
    const said = await invoke(['node', '--code', code], { temporary });
    expect(said.status).toBe(1);
    expect(JSON.parse(said.stdout)).toMatchObject({
      errorType: 'RangeError',
      errorMessage: 'too far',
    });
    expect(said.stderr).toContain('failed  node');
    expect(leftIn(temporary)).toEqual([]);
  });

  test('runs again when the code or the event changes, until Ctrl-C, and leaves nothing', async () => {
    const { code, temporary } = folder(
      'watched',
      'export const handler = (event) => ["old", event];',
    );
    const event = join(scratch, 'event.json');
    writeFileSync(event, '1');
    const child = spawn(
      process.execPath,
      [SCRIPT, 'node', '--code', code, '--event', event, '--watch'],
      { env: environment(temporary) },
    );
    running.add(child);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const settled = async (runs: number) => {
      while ((stderr.match(/Ctrl-C ends/g) ?? []).length < runs && child.exitCode === null) {
        await sleep(20);
      }
    };
    await settled(1);
    writeFileSync(join(code, 'index.mjs'), 'export const handler = (event) => ["new", event];');
    await settled(2);
    writeFileSync(event, '2');
    await settled(3);
    expect(stdout).toBe('["old",1]\n["new",1]\n["new",2]\n');
    expect(stderr).toContain('index.mjs changed');
    expect(stderr).toContain('event.json changed');
    child.kill('SIGINT');
    const [status] = await once(child, 'exit');
    expect(status).toBe(130);
    expect(leftIn(temporary)).toEqual([]);
  });

  test.each([[[]], [['--watch']]])(
    'takes a reader that has gone for no fault, with %j',
    async (options) => {
      const { code, temporary } = folder(
        `unread${options}`,
        `export const handler = (event) => {
        if (event.fail) throw new Error('x'.repeat(1e6));
        return 'x'.repeat(1e6);
      };`,
      );
      for (const [event, status] of [
        ['{}', 0],
        ['{"fail":true}', 1],
      ]) {
        const child = spawn(
          process.execPath,
          [SCRIPT, 'node', '--code', code, '--event', `${event}`, ...options],
          { env: environment(temporary) },
        );
        running.add(child);
        let stderr = '';
        child.stderr.on('data', (chunk) => {
          stderr += chunk;
        });
        child.stdout.once('data', () => child.stdout.destroy());
        expect(await once(child, 'close')).toEqual([status, null]);
        expect(stderr).not.toContain('EPIPE');
        expect(leftIn(temporary)).toEqual([]);
      }
    },
  );

  test('ends with its terminal, and leaves nothing', async () => {
    const { code, temporary } = folder('hung-up', 'export const handler = () => "ran";');
    const child = spawn(process.execPath, [SCRIPT, 'node', '--code', code, '--watch'], {
      env: environment(temporary),
    });
    running.add(child);
    await once(child.stdout, 'data');
    child.kill('SIGHUP');
    const [status] = await once(child, 'exit');
    expect(status).toBe(129);
    expect(leftIn(temporary)).toEqual([]);
  });

  test.each([
    [['perl'], 'there is no runtime "perl"; there are bun, deno, node'],
    [['node', '--event', 'nowhere.json'], 'event "nowhere.json" is neither a file nor JSON'],
    [['node', '--event', '{"a":'], 'event is not JSON: '],
    [['node', '--code', 'package.json'], 'code "package.json" is a file; name its folder'],
    [['node', '--code', 'nowhere'], 'code "nowhere" does not exist'],
    [['node', '--env', 'GREETING'], 'write NAME=value'],
    [['node', '--memory', '64'], 'write 128 to 10240 megabytes'],
    [['node', '--timeout', '0'], 'write 1 to 900 seconds'],
  ])('fails with %j', async (args, message) => {
    const command = invokeCommand()
      .exitOverride()
      .configureOutput({ writeErr: () => {} });
    await expect(command.parseAsync(['node', 'invoke', ...args])).rejects.toThrow(message);
  });
});
