import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { extractZip, writeZip } from '../../../lib/archive';
import {
  artifactSetOf,
  BuildShell,
  collectArtifact,
  hostEnvironment,
  parseBuildspec,
  runPhases,
} from '../../../lib/rehearsal/engine/buildspec';
import { temporaryFolder } from './fixture';

let dir: string;
let shell: BuildShell;
let output: string;
let notes: string[];

beforeEach(() => {
  dir = temporaryFolder();
  mkdirSync(join(dir, 'src'));
  mkdirSync(join(dir, 'control'));
  output = '';
  notes = [];
  const environment = { PATH: process.env.PATH ?? '', LANG: 'C.UTF-8' };
  shell = new BuildShell(join(dir, 'src'), environment, join(dir, 'control'), (data) => {
    output += data;
  });
});

afterEach(async () => {
  await shell.close();
  rmSync(dir, { recursive: true, force: true });
});

async function run(phases: object, signal = new AbortController().signal): Promise<void> {
  const spec = parseBuildspec(JSON.stringify({ version: '0.2', phases }), 'a test');
  await runPhases(spec, shell, signal, (line) => notes.push(line)).finally(() => shell.close());
}

test('leaves no process where the one that runs the build is killed', async () => {
  const script = `
    require('ts-node').register({ transpileOnly: true, swc: true, project: 'tsconfig.json' });
    const { BuildShell } = require('./lib/rehearsal/engine/buildspec');
    const [cwd, control] = process.argv.slice(1);
    const shell = new BuildShell(cwd, process.env, control, (data) => process.stdout.write(data));
    shell.run('sleep 1000 & echo $$ $!; wait');
  `;
  const builder = spawn(process.execPath, ['-e', script, join(dir, 'src'), join(dir, 'control')], {
    cwd: join(__dirname, '../../..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = await once(builder.stdout, 'data');
  const pids = String(said).trim().split(' ');
  expect(pids.map((pid) => existsSync(`/proc/${pid}`))).toEqual([true, true]);
  builder.kill('SIGKILL');
  await once(builder, 'exit');
  // Whoever adopts them may not have looked yet.
  const alive = (pid: string) =>
    existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  for (let tries = 0; tries < 200 && pids.some(alive); tries++) await delay(50);
  expect(pids.filter(alive)).toEqual([]);
});

test('keeps variables, functions and the folder from one command to the next', async () => {
  await run({
    install: {
      commands: ['export A=1', 'B=2', 'greet() { echo "hello $A $B"; }', 'mkdir sub && cd sub'],
    },
    build: {
      commands: ['greet', 'basename "$PWD"', 'printf "%s\\n" "two\nlines" \'and "quotes"\''],
    },
  });
  expect(output).toBe('hello 1 2\nsub\ntwo\nlines\nand "quotes"\n');
});

test('runs post_build after a failed build, and names the first command that failed', async () => {
  const phases = {
    build: { commands: ['echo before', 'sh -c "exit 3"', 'echo never'] },
    post_build: { commands: ['echo after'] },
  };
  await expect(run(phases)).rejects.toMatchObject({
    code: 'BuildFailed',
    message: 'phase BUILD: command exited with 3: sh -c "exit 3"',
  });
  expect(output).toBe('before\nafter\n');
});

test.each([
  ['1', { commands: ['true'] }],
  ['1', { commands: ['false'], 'on-failure': 'CONTINUE' }],
  ['0', { commands: ['false'] }],
  ['0', { commands: ['exit 3'] }],
])('tells post_build %s for whether it is succeeding after %j', async (told, build) => {
  await run({
    install: { commands: ['export CODEBUILD_BUILD_SUCCEEDING=1'] },
    build,
    post_build: { commands: ['echo $CODEBUILD_BUILD_SUCCEEDING'] },
  }).catch(() => undefined);
  expect(output).toBe(`${told}\n`);
});

test('goes on in post_build with the exported variables after a command ended the shell', async () => {
  const phases = {
    build: { commands: ['export KEPT=yes; mkdir -p deep; cd deep', 'exit 4'] },
    post_build: { commands: ['echo "kept $KEPT in $(basename "$PWD")"'] },
  };
  await expect(run(phases)).rejects.toThrow('phase BUILD: command exited with 4: exit 4');
  expect(output).toBe('kept yes in deep\n');
});

test('skips build and post_build after a failed pre_build, but runs its finally block', async () => {
  const phases = {
    pre_build: { commands: ['false'], finally: ['echo finally'] },
    build: { commands: ['echo build'] },
    post_build: { commands: ['echo post'] },
  };
  await expect(run(phases)).rejects.toThrow('phase PRE_BUILD: command exited with 1: false');
  expect(output).toBe('finally\n');
});

test('goes on after a failed phase with on-failure CONTINUE', async () => {
  await expect(
    run({
      install: { commands: ['false'], 'on-failure': 'CONTINUE' },
      build: { commands: ['echo built'] },
    }),
  ).resolves.toBeUndefined();
  expect(output).toBe('built\n');
});

test('fails on a syntax error as on any other failed command', async () => {
  await expect(run({ build: { commands: ['echo ('] } })).rejects.toThrow(
    /phase BUILD: command exited/,
  );
});

test('tells the values of exported variables', async () => {
  await shell.run('export VERSION="1.2 \n3"; HIDDEN=x');
  expect(await shell.exported(['VERSION', 'HIDDEN'])).toEqual({ VERSION: '1.2 \n3', HIDDEN: '' });
});

test('kills what the commands started, in the background too', async () => {
  const abort = new AbortController();
  abort.signal.addEventListener('abort', () => shell.kill());
  const pids = join(dir, 'pids');
  const phases = {
    build: { commands: [`sleep 300 & echo $! $$ > ${pids}; mv ${pids} ${pids}.done; wait`] },
  };
  const running = run(phases, abort.signal);
  const failed = expect(running).rejects.toThrow('enough');
  while (!existsSync(`${pids}.done`)) await delay(10);
  abort.abort(new Error('enough'));
  await failed;
  for (const pid of readFileSync(`${pids}.done`, 'utf8').trim().split(' ')) {
    await ended(Number(pid));
  }
});

test('kills a shell that is being started, whenever that is', async () => {
  for (const ticks of [0, 1, 2, 5, 10]) {
    const starting = new BuildShell(join(dir, 'src'), {}, join(dir, 'control'), () => undefined);
    const running = starting.run('exec sleep 300');
    for (let tick = 0; tick < ticks; tick++) await new Promise(setImmediate);
    starting.kill();
    expect(await running).toBe(137);
  }
});

test('leaves nothing running after a build that succeeded', async () => {
  await run({ build: { commands: ['sleep 300 & echo $!'] } });
  await ended(Number(output.trim()));
});

/** A process that was killed closes its files a moment before it is gone. */
async function ended(pid: number): Promise<void> {
  for (const deadline = Date.now() + 2000; isRunning(pid); await delay(10)) {
    if (Date.now() > deadline) throw new Error(`process ${pid} still runs`);
  }
}

/** False for a zombie, too: it waits to be reaped, and runs no more. */
function isRunning(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) && !/^\d+ \(.*\) Z/.test(readFileSync(stat, 'utf8'));
}

test('lets no variable of the machine through but those on the list', async () => {
  const host = await hostEnvironment({
    ...process.env,
    AWS_ACCESS_KEY_ID: 'leak',
    AWS_PROFILE: 'leak',
    GITHUB_TOKEN: 'leak',
    NODE_OPTIONS: '--max-old-space-size=512',
    HTTPS_PROXY: 'http://proxy',
    PATH: `/srv/app/node_modules/.bin:${process.env.PATH}`,
  });
  expect(Object.values(host)).not.toContain('leak');
  expect(host).not.toHaveProperty('NODE_OPTIONS');
  expect(host).not.toHaveProperty('HOME');
  expect(host.HTTPS_PROXY).toBe('http://proxy');
  expect(host.PATH).not.toContain('node_modules');
  expect(host.npm_config_userconfig).toMatch(/^\//);
});

test('fails on a buildspec with everything wrong in one message', () => {
  const parse = () =>
    parseBuildspec('version: 0.1\nphases:\n  biuld:\n    commands: [a]\n', 'a test');
  expect(parse).toThrow(/version/);
  expect(parse).toThrow(/biuld/);
});

test('reads YAML with a single command and a single file', () => {
  const spec = parseBuildspec(
    'version: 0.2\nphases:\n  build:\n    commands: make\nartifacts:\n  files: out.zip\n',
    'a test',
  );
  expect(spec.phases.build?.commands).toEqual(['make']);
  expect(artifactSetOf(spec, 'Any', true)?.files).toEqual(['out.zip']);
  expect(artifactSetOf(spec, 'Any', false)).toBeUndefined();
});

describe('artifacts', () => {
  const set = (change: object) => {
    const spec = parseBuildspec(
      JSON.stringify({ version: 0.2, phases: {}, artifacts: { files: '**/*', ...change } }),
      'a test',
    );
    return spec.artifacts as NonNullable<typeof spec.artifacts>;
  };
  const names = async (change: object) =>
    (await collectArtifact(join(dir, 'src'), set(change))).map((entry) => entry.path);

  beforeEach(() => {
    const src = join(dir, 'src');
    mkdirSync(join(src, 'dist', 'deep'), { recursive: true });
    writeFileSync(join(src, 'dist', 'run.sh'), 'echo hi');
    chmodSync(join(src, 'dist', 'run.sh'), 0o755);
    writeFileSync(join(src, 'dist', 'deep', '.hidden'), 'x');
    symlinkSync('run.sh', join(src, 'dist', 'link'));
    writeFileSync(join(src, 'top.txt'), 'top');
  });

  test('are the files below the base directory that match, without those excluded', async () => {
    expect(await names({ 'base-directory': 'dist' })).toEqual(['deep/.hidden', 'link', 'run.sh']);
    expect(await names({ 'base-directory': 'dist', 'exclude-paths': 'deep/**' })).toEqual([
      'link',
      'run.sh',
    ]);
    expect(await names({ files: 'dist/**/*', 'discard-paths': 'yes' })).toContain('.hidden');
  });

  test('are the files of one folder with a single asterisk, and with two those below it', async () => {
    expect(await names({ files: '*' })).toEqual(['top.txt']);
    expect(await names({ files: './dist/*' })).toEqual(['dist/link', 'dist/run.sh']);
    expect(await names({ files: ['dist/**/*', 'top.txt'] })).toEqual([
      'dist/deep/.hidden',
      'dist/link',
      'dist/run.sh',
      'top.txt',
    ]);
    await expect(names({ files: 'dist' })).rejects.toThrow(
      'no matching artifact paths found for dist',
    );
  });

  test('fail without a base directory or a match, in words that say what to change', async () => {
    await expect(names({ 'base-directory': 'nope' })).rejects.toThrow(
      'no matching base directory path found for nope',
    );
    await expect(names({ files: '*.zip' })).rejects.toThrow(
      'no matching artifact paths found for *.zip',
    );
  });

  test('come out of the zip with their modes and links', async () => {
    const entries = await collectArtifact(
      join(dir, 'src'),
      set({ 'base-directory': 'dist', 'enable-symlinks': 'yes' }),
    );
    const zip = join(dir, 'out.zip');
    await writeZip(zip, entries);
    mkdirSync(join(dir, 'out'));
    await extractZip(zip, join(dir, 'out'));
    expect(execFileSync(join(dir, 'out', 'link'), { shell: '/bin/sh', encoding: 'utf8' })).toBe(
      'hi\n',
    );
    expect(existsSync(`${zip}.partial`)).toBe(false);
  });

  test('fail to unpack a link that leads out of the archive', async () => {
    const zip = join(dir, 'evil.zip');
    await writeZip(zip, [{ source: '', path: 'evil', mode: 0o777, target: '../../etc' }]);
    await expect(extractZip(zip, join(dir, 'src'))).rejects.toThrow(/outside the archive/);
  });
});
