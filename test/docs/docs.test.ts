import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import runtime from '../../assets/runtimes/deno/runtime.json';
import { context as shipped } from '../../cdk.json';
import { configFromContext, exampleValues, parseConfig } from '../../lib/config';
import { describeError } from '../../lib/errors';
import { answerFaults } from '../../lib/layers/check';
import { planOf, rawConfig } from '../pipeline/fixture';
import { BLOCKS, type Block, block, COMMANDS, ROOT } from './blocks';
import {
  HERE,
  IN_THE_CLOUD,
  type LocalCommand,
  NOT_TYPED,
  OTHER_BLOCKS,
  WITH_THE_PACKAGE,
} from './commands';

jest.setTimeout(120_000);

const scratch = mkdtempSync(join(tmpdir(), 'docs-test-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const nameOf = ({ page, text }: Block) => `${page}: ${text.split('\n', 1)[0]}`;

describe('every block of the README and of docs/', () => {
  test('with commands holds only such that are typed by a test, or not for a reason', () => {
    const known = [...IN_THE_CLOUD, ...WITH_THE_PACKAGE, ...HERE, ...Object.keys(NOT_TYPED)];
    expect([...new Set(COMMANDS)].sort()).toEqual([...known].sort());
    expect(new Set(known).size).toBe(known.length);
  });

  test('without commands is known by its first line', () => {
    const others = BLOCKS.filter(({ language }) => language !== 'sh').map(nameOf);
    expect(others.sort()).toEqual(Object.keys(OTHER_BLOCKS).sort());
  });
});

describe('a command of the pages', () => {
  const typed = new Set<string>();
  /** One line typed into a shell in the project's folder, all of it a command of the pages. */
  const type = (line: LocalCommand): Promise<string> =>
    new Promise((done, reject) => {
      typed.add(line);
      const env = { ...process.env, npm_config_prefer_offline: 'true' };
      execFile('bash', ['-c', line], { cwd: ROOT, env }, (error, stdout) =>
        error ? reject(error) : done(stdout),
      );
    });

  test('finds that npm names what runtime.json pins: npx layers pin …', async () => {
    const pinned = 'deno 2.9.5 is pinned already, in assets/runtimes/deno/runtime.json\n';
    expect(await type('npx layers pin deno 2.9.5')).toBe(pinned);
  });

  test('builds and runs what was pinned: npx layers build … --check', async () => {
    const said = await type('npx layers build --runtime deno --version 2.9.5 --check');
    expect(said.match(/^answered {2}deno-2_9_5-(arm64|x86_64)-/gm)).toHaveLength(2);
  });

  test.each([
    [
      `npm run -s invoke -- deno --arch arm64 --event '{"hello":"world"}'`,
      JSON.parse(block('docs/standalone.md', '{"runtime":"deno"').split('\n', 1)[0]),
    ],
    [
      `npm run -s invoke -- deno --handler hashes.handler --event '{"texts":["a","b"]}'`,
      [expect.stringMatching(/^ca978112/), expect.stringMatching(/^3e23e816/)],
    ],
  ] as const)('answers as shown: %s', async (command, answer) => {
    expect(JSON.parse(await type(command))).toMatchObject(answer);
  });

  test('runs again at a change: npm run -s invoke … --watch', async () => {
    const command: LocalCommand =
      'npm run -s invoke -- node --code src/hello --handler index.handler --event event.json --watch';
    typed.add(command);
    const file = join(scratch, 'src/hello/index.mjs');
    mkdirSync(join(scratch, 'src/hello'), { recursive: true });
    writeFileSync(file, 'export const handler = ({ n }) => n + 1;');
    writeFileSync(join(scratch, 'event.json'), '{"n":41}');
    mkdirSync(join(scratch, 'dist'));
    symlinkSync(join(ROOT, 'dist/layers'), join(scratch, 'dist/layers'), 'dir');
    // npm would change to the project's folder, and the function's is a relative one.
    const line = command.replace('npm run -s invoke --', '"$0" "$1"');
    const child = spawn(
      'bash',
      ['-c', `exec ${line}`, process.execPath, join(ROOT, 'bin/invoke.js')],
      { cwd: scratch, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const answers: string[] = [];
    for await (const chunk of child.stdout) {
      answers.push(String(chunk).trim());
      if (answers.length === 1) writeFileSync(file, 'export const handler = ({ n }) => -n;');
      else break;
    }
    child.kill('SIGINT');
    const [status] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode];
    expect({ answers, status }).toEqual({ answers: ['42', '-41'], status: 130 });
  });

  test('has been typed, each of them', () => {
    expect([...typed].sort()).toEqual([...HERE].sort());
  });
});

describe('what the pages show', () => {
  test.each(BLOCKS.filter(({ language, page }) => language === 'json' && !page.includes('report')))(
    'is JSON: $page',
    ({ text }) => {
      expect(() => JSON.parse(text)).not.toThrow();
    },
  );

  test.each(['{\n', '{ "home": '])('is a configuration that is accepted: %j', (start) => {
    const config = parseConfig(JSON.parse(block('docs/configuration.md', start)));
    expect(config.waves.map(({ name }) => name)).toEqual(['pilot']);
  });

  test('is what wrong values of the configuration really give', () => {
    const wrong = structuredClone(shipped.delivery);
    wrong.home.account = '12';
    wrong.waves[0].regions[0] = 'eu-west-11';
    let said = '';
    try {
      parseConfig(wrong);
    } catch (error) {
      said = describeError(error);
    }
    expect(`${said}\n`).toBe(block('docs/configuration.md', 'error [InvalidConfiguration]'));
  });

  test('is what a configuration beyond a quota is refused with', () => {
    const waves = Array.from({ length: 19 }, (_, index) => ({
      name: `wave${index}`,
      accounts: [String(700000000000 + index)],
      regions: ['eu-west-1'],
      approval: true,
    }));
    let said = '';
    try {
      planOf({ ...rawConfig(), waves });
    } catch (error) {
      said = describeError(error);
    }
    expect(`${said}\n`).toBe(block('docs/configuration.md', 'error [QuotaExceeded]'));
  });

  test.each(['README.md', 'docs/configuration.md'])(
    "is what %s says of the example's values",
    (page) => {
      const said = exampleValues(configFromContext(shipped.delivery, {})).join('\n');
      const [, sentence] = /^ERROR (.+) \(Annotation\)$/m.exec(block(page, 'ERROR ')) ?? [];
      expect(said).toContain(sentence);
    },
  );

  test('tells SAM, Terraform and Serverless what the AWS CLI is told', () => {
    const page = 'docs/standalone.md';
    const [command] = IN_THE_CLOUD.filter((each) => each.includes('create-function'));
    const told = (option: string) => new RegExp(`--${option} (\\S+)`).exec(command)?.[1];
    const wanted = {
      runtime: told('runtime'),
      architecture: told('architectures'),
      handler: told('handler'),
      layer: told('layers'),
      memory: Number(told('memory-size')),
    };

    const { Properties: sam } = parse(block(page, 'Hello:')).Hello;
    expect({
      runtime: sam.Runtime,
      architecture: sam.Architectures[0],
      handler: sam.Handler,
      layer: sam.Layers[0],
      memory: sam.MemorySize,
    }).toEqual(wanted);

    const { provider, functions } = parse(block(page, 'provider:'));
    expect({
      runtime: provider.runtime,
      architecture: provider.architecture,
      handler: functions.hello.handler,
      layer: functions.hello.layers[0],
      memory: functions.hello.memorySize,
    }).toEqual(wanted);

    const lines = block(page, 'resource ').matchAll(/^ +(\w+) += \[?"?([^"\]\n]+)"?\]?$/gm);
    const terraform = Object.fromEntries([...lines].map(([, name, value]) => [name, value]));
    expect({
      runtime: terraform.runtime,
      architecture: terraform.architectures,
      handler: terraform.handler,
      layer: terraform.layers,
      memory: Number(terraform.memory_size),
    }).toEqual(wanted);
  });

  test('is every field of a runtime.json, and an answer that its example may give', () => {
    const [, section] = readFileSync(join(ROOT, 'docs/runtimes.md'), 'utf8').split(
      '## A runtime of your own\n',
    );
    const [fields] = section.split('\n## ');
    const named = [...fields.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    expect(named.sort()).toEqual(Object.keys(runtime).sort());

    const answer = block('docs/runtimes.md', '{ "runtime": "tiny"');
    const layer = { runtime: 'tiny', version: '1.0.0', architecture: 'arm64' } as const;
    expect(answerFaults(answer, layer, { nonce: '…' })).toEqual([]);
  });

  test('names folders that exist', () => {
    const folders = [...block('README.md', 'bin/').matchAll(/^(\w+)\/ /gm)].map(([, name]) => name);
    expect(folders.length).toBeGreaterThan(5);
    expect(folders.filter((name) => !existsSync(join(ROOT, name)))).toEqual([]);
    const parts = block('README.md', 'bin/').split('assets/')[0].split('lib/')[1];
    const parted = [...parts.matchAll(/(\w+)\//g)].map(([, name]) => name);
    expect(parted.filter((name) => !existsSync(join(ROOT, 'lib', name)))).toEqual([]);
  });
});
