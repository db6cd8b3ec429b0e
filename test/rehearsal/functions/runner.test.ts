import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FunctionRunner, type FunctionSpec } from '../../../lib/rehearsal/functions';
import { detectIsolation } from '../../../lib/rehearsal/functions/isolation';
import { ensureTools, type Tools } from '../../../lib/rehearsal/tools';
import { makeLayer, makeSpec, processesNaming, writeBootstrap } from './fixture/layer';

let folder: string;
let tools: Tools;
let runner: FunctionRunner;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'runner-test-'));
  makeLayer(join(folder, 'layer'));
  tools = await ensureTools();
  runner = await FunctionRunner.create({ tools });
}, 600_000);

afterAll(async () => {
  await runner?.close();
  rmSync(folder, { recursive: true, force: true });
});

const invoke = (event: object, changes: Partial<FunctionSpec> = {}) =>
  runner.invoke(makeSpec(folder, changes), JSON.stringify(event));

async function facts(changes: Partial<FunctionSpec> = {}) {
  const { payload, functionError, log } = await invoke({ action: 'facts' }, changes);
  if (functionError) throw new Error(`${payload}\n${log}`);
  return JSON.parse(payload);
}

describe('a function', () => {
  test('is isolated on this machine', () => {
    expect(runner.notAvailable.filter(({ what }) => what.startsWith('isolation'))).toEqual([]);
  });

  test('answers with the bytes of its handler, and runs natively', async () => {
    const event = { action: 'echo', text: 'grüße', errorType: 'is just a field' };
    const result = await invoke(event);
    expect(result.functionError).toBeUndefined();
    expect(result).toMatchObject({
      payload: JSON.stringify(event),
      how: 'native',
      isolation: 'namespace',
      milliseconds: expect.any(Number),
    });
  });

  test('sees code, layers, an empty /tmp and nothing else of this machine, all read-only', async () => {
    const found = await facts({ environment: { FRESH: '1' } });
    expect(found).toMatchObject({
      task: ['index.txt'],
      opt: ['bin', 'bootstrap', 'runtime.js'],
      writeRoot: 'EROFS',
      writeOpt: 'EROFS',
      writeTask: 'EROFS',
      tmp: [],
      writeTmp: 'written',
    });
    expect(
      found.root.filter((name: string) =>
        ['home', 'root', 'work', 'mnt', 'srv', 'sys'].includes(name),
      ),
    ).toEqual([]);
    expect(found.userLocal).toEqual([]);
    expect(found.capabilities).toBe('0000000000000000');
    expect(readdirSync(join(folder, 'code'))).toEqual(['index.txt']);
  });

  test("gets Lambda's variables, its own, and none of this machine's", async () => {
    process.env.RUNNER_TEST_SECRET = 'must not be seen';
    const { payload } = await invoke(
      { action: 'environment' },
      { version: '7', environment: { MINE: 'a = b' } },
    );
    delete process.env.RUNNER_TEST_SECRET;
    const variables = JSON.parse(payload);

    expect(variables).toMatchObject({
      MINE: 'a = b',
      _HANDLER: 'index.handler',
      AWS_REGION: 'eu-west-1',
      AWS_DEFAULT_REGION: 'eu-west-1',
      AWS_LAMBDA_FUNCTION_NAME: 'example',
      AWS_LAMBDA_FUNCTION_VERSION: '7',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
      AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/example',
      LAMBDA_TASK_ROOT: '/var/task',
      LAMBDA_RUNTIME_DIR: '/var/runtime',
      PATH: '/usr/local/bin:/usr/bin/:/bin:/opt/bin',
      TZ: ':UTC',
    });
    expect(variables.AWS_EXECUTION_ENV).toBeUndefined();
    expect(Object.keys(variables).sort()).toEqual([
      'AWS_ACCESS_KEY_ID',
      'AWS_DEFAULT_REGION',
      'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
      'AWS_LAMBDA_FUNCTION_NAME',
      // The emulator needs it and hands it on; Lambda does not have it.
      'AWS_LAMBDA_FUNCTION_TIMEOUT',
      'AWS_LAMBDA_FUNCTION_VERSION',
      'AWS_LAMBDA_INITIALIZATION_TYPE',
      'AWS_LAMBDA_LOG_GROUP_NAME',
      'AWS_LAMBDA_LOG_STREAM_NAME',
      'AWS_LAMBDA_METADATA_API',
      'AWS_LAMBDA_METADATA_TOKEN',
      'AWS_LAMBDA_RUNTIME_API',
      'AWS_REGION',
      'AWS_SECRET_ACCESS_KEY',
      'AWS_SESSION_TOKEN',
      'LAMBDA_RUNTIME_DIR',
      'LAMBDA_TASK_ROOT',
      'LANG',
      'LD_LIBRARY_PATH',
      'MINE',
      'PATH',
      'PWD',
      'TZ',
      '_HANDLER',
    ]);
  });

  test('stays warm, one invocation at a time, and reports its cold start once', async () => {
    const environment = { WARM: '1' };
    const spec = makeSpec(folder, { environment });
    const event = JSON.stringify({ action: 'facts' });
    // What a caller's object holds besides does not part environments.
    const results = await Promise.all(
      [1, 2, 3].map((number) => runner.invoke({ ...spec, number } as FunctionSpec, event)),
    );

    const found = results.map(({ payload }) => JSON.parse(payload));
    expect(found.map(({ invocations }) => invocations)).toEqual([1, 2, 3]);
    expect(new Set(found.map(({ born }) => born)).size).toBe(1);
    expect(results.map(({ initMilliseconds }) => initMilliseconds !== undefined)).toEqual([
      true,
      false,
      false,
    ]);
  });

  test('is told the request id of its caller', async () => {
    const requestId = '01234567-89ab-cdef-0123-456789abcdef';
    const { payload } = await runner.invoke(makeSpec(folder), '{"action":"facts"}', { requestId });
    expect(JSON.parse(payload).headers['lambda-runtime-aws-request-id']).toBe(requestId);
  });

  test('leaves the log of this invocation, and of no other', async () => {
    await invoke({ action: 'log', text: 'first' });
    const { log } = await invoke({ action: 'log', text: 'second' });
    expect(log).toBe('second\nsecond on stderr\n');
  });

  test('finds later layers on top of earlier ones, and its own bootstrap before theirs', async () => {
    const [lower, upper] = ['lower', 'upper'].map((name) => {
      mkdirSync(join(folder, name), { recursive: true });
      writeFileSync(join(folder, name, 'which.txt'), name);
      return join(folder, name);
    });
    const layer = join(folder, 'layer');
    expect((await facts({ layerDirs: [lower, layer, upper] })).layer).toBe('upper');

    const codeDir = writeBootstrap(
      join(folder, 'own'),
      'FROM=code exec /opt/bin/node /opt/runtime.js',
    );
    const { payload } = await invoke({ action: 'environment' }, { codeDir });
    expect(JSON.parse(payload).FROM).toBe('code');
  });

  test('does not find an interpreter of this machine that its layer forgot', async () => {
    const layerDirs = [writeBootstrap(join(folder, 'forgetful'), 'exec node /opt/runtime.js')];
    const result = await invoke({ action: 'echo' }, { layerDirs });
    expect(JSON.parse(result.payload)).toMatchObject({ errorType: 'Runtime.ExitError' });
    expect(result.log).toMatch(/node: (not found|Permission denied)/);
  });

  test('does not find one behind a link, either', async () => {
    const isolation = await detectIsolation(tools);
    const bin = join(folder, 'bin');
    writeBootstrap(join(bin, 'node-99'), 'echo found');
    symlinkSync('node-99/bootstrap', join(bin, 'node'));
    const contents = { layerDirs: [], codeDir: folder, rie: tools.rieBin };
    const sandbox = (script: string) => {
      const command = isolation.wrap(contents, tools.native, ['sh', '-c', script]);
      // A machine with that link, for this command alone.
      const overlay = `mount -t overlay -o lowerdir=${bin}:/usr/bin overlay /usr/bin; exec "$@"`;
      const unshare = ['--user', '--map-root-user', '--mount', 'sh', '-ec', overlay, 'sh'];
      return spawnSync('unshare', [...unshare, ...command], { encoding: 'utf8' });
    };
    expect(sandbox('readlink /usr/bin/node').stdout).toBe('node-99/bootstrap\n');
    expect(sandbox('node')).toMatchObject({
      stdout: '',
      stderr: expect.stringMatching(/node: (not found|Permission denied)/),
    });
  });
});

describe('a function fails', () => {
  const failed = (errorType: string, message: RegExp) => ({
    errorType,
    errorMessage: expect.stringMatching(message),
  });

  test("with the runtime's own error when the handler throws", async () => {
    const result = await invoke({ action: 'throw' });
    expect(result.functionError).toBe('Unhandled');
    expect(JSON.parse(result.payload)).toMatchObject({
      errorType: 'TypeError',
      errorMessage: 'the handler says no',
      stackTrace: [expect.stringContaining('runtime.js')],
    });
  });

  test("with the runtime's own error when it cannot start", async () => {
    const result = await invoke({}, { handler: 'broken.handler' });
    expect(result).toMatchObject({ functionError: 'Unhandled', log: 'about to fail\n' });
    expect(JSON.parse(result.payload)).toMatchObject({
      errorType: 'SyntaxError',
      errorMessage: 'the module says no',
    });
  });

  test('with a result that is too large, unlike with one that only looks so', async () => {
    const environment = { LARGE: '1' };
    const refused = await invoke({ action: 'fill', bytes: 7_000_000 }, { environment });
    expect(refused.functionError).toBe('Unhandled');
    expect(JSON.parse(refused.payload)).toEqual(
      failed('Function.ResponseSizeTooLarge', /^Response payload size exceeded/),
    );
    const { errorType } = JSON.parse(refused.payload);
    const echoed = await invoke({ action: 'echo', errorType }, { environment });
    expect(echoed.functionError).toBeUndefined();
  });

  test('when it takes longer than its timeout, and works again afterwards', async () => {
    const slow = { timeoutSeconds: 1, environment: { SLOW: '1' } };
    await invoke({ action: 'echo' }, slow);
    const result = await invoke({ action: 'sleep', milliseconds: 60_000 }, slow);
    expect(result.functionError).toBe('Unhandled');
    expect(JSON.parse(result.payload)).toEqual(
      failed('Sandbox.Timedout', /^RequestId: \S+ Error: Task timed out after 1\.00 seconds$/),
    );
    expect((await facts({ ...slow, timeoutSeconds: 1 })).invocations).toBe(1);
  });

  test('when the runtime exits, and works again afterwards', async () => {
    const result = await invoke({ action: 'exit', status: 3 });
    expect(result.functionError).toBe('Unhandled');
    expect(JSON.parse(result.payload)).toEqual(failed('Runtime.ExitError', /exit status 3/));
    expect((await facts()).invocations).toBe(1);
  });

  test('without a bootstrap', async () => {
    const result = await invoke({}, { layerDirs: [] });
    expect(result.functionError).toBe('Unhandled');
    expect(JSON.parse(result.payload)).toEqual(
      failed('Runtime.InvalidEntrypoint', /Couldn't find valid bootstrap/),
    );
  });

  test('with a bootstrap that may not be executed', async () => {
    const layerDirs = [writeBootstrap(join(folder, 'no-mode'), 'exit 0', 0o644)];
    const result = await invoke({}, { layerDirs });
    expect(JSON.parse(result.payload)).toEqual(
      failed('Runtime.InvalidEntrypoint', /\/opt\/bootstrap: permission denied/),
    );
  });
});

describe('the other processor', () => {
  test('fails when the layer holds a program for this one, which Lambda could not run', async () => {
    const architecture = tools.native === 'x86_64' ? 'arm64' : 'x86_64';
    const result = await invoke({ action: 'echo' }, { architecture });
    if (result.how === 'not-run') return expect(result.notRun?.cure).not.toBe('');
    expect(JSON.parse(result.payload)).toEqual({
      errorType: 'Runtime.InvalidEntrypoint',
      errorMessage: expect.stringContaining('/opt/bin/node: exec format error'),
    });
    expect(result.functionError).toBe('Unhandled');
  });

  test('runs through qemu, or is reported with its cure and never as passed', async () => {
    const architecture = tools.native === 'x86_64' ? 'arm64' : 'x86_64';
    const layer = writeBootstrap(join(folder, 'other'), 'exec /opt/program --version');
    if (tools.qemu)
      copyFileSync(join(tools.qemu.sysroot, 'lib/ld-linux-aarch64.so.1'), join(layer, 'program'));
    const result = await invoke({}, { architecture, layerDirs: [layer] });

    const missing = runner.notAvailable.find(({ what }) => what === `${architecture} functions`);
    if (missing) {
      expect(result).toMatchObject({
        how: 'not-run',
        payload: '',
        notRun: { why: missing.why, cure: missing.cure },
      });
    } else {
      const header = readFileSync(join(layer, 'program'));
      expect(header.readUInt16LE(18)).toBe(183); // EM_AARCH64
      expect(result).toMatchObject({ how: 'emulated', isolation: 'namespace' });
      expect(result.log).toMatch(/stable release version/);
    }
  });
});

describe('the timeout of a function of the other processor', () => {
  /** A runtime without a program of either processor, which answers after so many seconds. */
  const SLEEPER = `
    call() {
      exec 3<>"/dev/tcp/$(echo "$AWS_LAMBDA_RUNTIME_API" | tr : /)"
      printf '%s /2018-06-01/runtime/invocation/%s HTTP/1.0\\r\\nContent-Length: %s\\r\\n\\r\\n%s' "$1" "$2" "\${#3}" "$3" >&3
      answer=$(tr -d '\\r' <&3)
    }
    while call GET next; do
      sleep "$(echo "$answer" | tail -n 1)"
      call POST "$(echo "$answer" | sed -n 's/^Lambda-Runtime-Aws-Request-Id: //Ip')/response" '"awake"'
    done`;

  test('is ten seconds more for a cold start, and is called what it is', async () => {
    const architecture = tools.native === 'x86_64' ? 'arm64' : 'x86_64';
    const layer = writeBootstrap(join(folder, 'sleeper'), 'exec bash /opt/sleeper.sh');
    writeFileSync(join(layer, 'sleeper.sh'), SLEEPER);
    const spec = makeSpec(folder, { architecture, layerDirs: [layer], timeoutSeconds: 1 });
    const cold = await runner.invoke(spec, '2');
    if (cold.how === 'not-run') return expect(cold.notRun?.cure).not.toBe('');
    expect(cold).toMatchObject({ how: 'emulated', payload: '"awake"' });

    const warm = await runner.invoke(spec, '0.1');
    expect(warm).toMatchObject({ payload: '"awake"', initMilliseconds: undefined });
    const slow = await runner.invoke(spec, '5');
    expect(slow.milliseconds).toBeLessThan(5000);
    expect(slow.payload).toContain('Task timed out after 1.00 seconds');
  });
});

describe('close', () => {
  test('keeps a bounded number of environments warm, and ends them all', async () => {
    const own = await FunctionRunner.create({ tools });
    const layerDirs = [join(folder, 'layer')];
    for (let index = 0; index < 10; index++) {
      await own.invoke(
        makeSpec(folder, { layerDirs, environment: { CLOSE_TEST: `${index}` } }),
        '{"action":"echo"}',
      );
    }
    const running = processesNaming('CLOSE_TEST=');
    expect(new Set(running.map((command) => /CLOSE_TEST=\d/.exec(command)?.[0])).size).toBe(8);

    await own.close();

    expect(processesNaming('CLOSE_TEST=')).toEqual([]);
    expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(folder);
    expect(statSync('/sys/kernel').isDirectory()).toBe(true);
    await expect(own.invoke(makeSpec(folder), '{}')).rejects.toMatchObject({
      code: 'RunnerClosed',
    });
  }, 60_000);
});
