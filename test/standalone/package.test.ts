import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { LocalFunction } from '../../lib/invoke';
import type { Architecture } from '../../lib/release';
import { block, ROOT } from '../docs/blocks';
import { type PackageCommand, WITH_THE_PACKAGE } from '../docs/commands';
import { Person } from './person';

jest.setTimeout(300_000);

const NAME = 'lambda-runtime-layers';
const PAGE = 'docs/standalone.md';
const [ACCOUNT, REGION] = ['123456789012', 'eu-west-1'];
const NATIVE: Architecture = process.arch === 'arm64' ? 'arm64' : 'x86_64';

const HELLO = `
import ssri from 'ssri';
import { greeting } from './greeting.ts';

export const handler = (event: { name: string }) =>
  [greeting, event.name, ssri.fromData(event.name).toString().slice(0, 6)].join(' ');
export const version = () => Deno.version.deno;
`;

/** The parts of a program that the pages show, made whole: they must at least be right by type. */
const FRAGMENTS = `
import { Stack } from 'aws-cdk-lib';
import { LayerVersion } from 'aws-cdk-lib/aws-lambda';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { RuntimeLayer } from '${NAME}';

export function standalone(stack: Stack, arn: string): void {
  ${block(PAGE, 'RuntimeLayer.fromParameter(')}
}

export class Readme extends Stack {
  lookUp(): void {
    ${block('README.md', 'const arn = StringParameter')}
  }
}
`;

/** Somebody who has this project's package and nothing else of it. */
describe('the packed package, in a folder outside the project', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'package-test-'));
  const checkout = join(scratch, NAME);
  const outside = join(scratch, 'outside');
  const typed = new Set<string>();
  let person: Person;

  beforeAll(async () => {
    person = await Person.start(ACCOUNT, REGION);
    const said = await person.type(`npx cdk bootstrap aws://${ACCOUNT}/${REGION} --app ''`);
    expect(said).toMatchObject({ status: 0 });
  });
  afterAll(async () => {
    await person?.stop();
    rmSync(scratch, { recursive: true, force: true });
  });

  const fromDocs = (command: PackageCommand) => {
    typed.add(command);
    return command;
  };
  const there = { cwd: outside, env: { npm_config_prefer_offline: 'true' } };
  const functions = async () =>
    (
      await person.aws<{ Functions: { FunctionName: string; Handler: string }[] }>(
        'lambda list-functions',
      )
    ).Functions;

  test('is packed and installed as the page says', async () => {
    for (const name of ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'LICENSE']) {
      cpSync(join(ROOT, name), join(checkout, name));
    }
    for (const name of ['assets', 'bin', 'lib', 'stages', 'test']) {
      cpSync(join(ROOT, name), join(checkout, name), { recursive: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(checkout, 'node_modules'), 'dir');
    expect(await person.type(fromDocs('npm pack'), { cwd: checkout })).toMatchObject({ status: 0 });

    mkdirSync(join(outside, 'src'), { recursive: true });
    // As npm init writes it.
    writeFileSync(join(outside, 'package.json'), '{ "private": true, "type": "commonjs" }');
    const install = fromDocs(
      'npm install ../lambda-runtime-layers/lambda-runtime-layers-0.1.0.tgz',
    );
    expect(await person.type(install, there)).toMatchObject({ status: 0 });
  });

  test('holds the compiled library and the runtimes, and neither sources nor tests', () => {
    const installed = join(outside, 'node_modules', NAME);
    const files = readdirSync(installed, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(installed, join(entry.parentPath, entry.name)));
    expect(files).toEqual(
      expect.arrayContaining([
        'package.json',
        'LICENSE',
        'bin/layers.js',
        'build/index.js',
        'build/index.d.ts',
        'assets/runtimes/deno/runtime.json',
        'assets/runtimes/deno/bin/arm64/bootstrap',
      ]),
    );
    expect(
      files.filter((file) => /^(node_modules|test|lib|stages|bin\/.+\.ts)/.test(file)),
    ).toEqual([]);
  });

  test("makes the page's app, whose function is deployed and answers", async () => {
    const files = {
      'app.ts': block(PAGE, "import { App, Stack } from 'aws-cdk-lib';"),
      'fragments.ts': FRAGMENTS,
      'src/hello.ts': HELLO,
      'src/greeting.ts': "export const greeting = 'hello';\n",
      'tsconfig.json': block(PAGE, '{\n  "compilerOptions"'),
      'fragments.json': JSON.stringify({ extends: './tsconfig.json', files: ['fragments.ts'] }),
    };
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(outside, name), content);
    }
    const fragments = await person.type('npx tsc --noEmit -p fragments.json', there);
    expect(fragments).toMatchObject({ status: 0 });
    // Layers that are built already: the package must know them for its own.
    mkdirSync(join(outside, 'dist'));
    symlinkSync(join(ROOT, 'dist/layers'), join(outside, 'dist/layers'), 'dir');

    const deploy = fromDocs('npx tsc && npx cdk deploy Hello --app "node out/app.js"');
    expect(await person.deploy(deploy, there)).toMatchObject({ status: 0 });
    const [{ FunctionName, Handler }] = await functions();
    expect(Handler).toBe('hello.handler');
    expect(await person.invoke(FunctionName, { name: 'world' })).toBe(
      person.runs('arm64') ? 'hello world sha512' : undefined,
    );
  });

  test('makes a bundle that the other runtime can load, too', async () => {
    const out = join(person.dir, 'cdk.out');
    const [bundle] = readdirSync(out).filter((name) => existsSync(join(out, name, 'hello.mjs')));
    const local = await LocalFunction.create({
      runtime: 'node',
      codeDir: join(out, bundle),
      handler: 'hello.handler',
      outDir: join(ROOT, 'dist/layers'),
    });
    try {
      const { payload } = await local.invoke('{"name":"world"}');
      expect(JSON.parse(payload)).toBe('hello world sha512');
    } finally {
      await local.close();
    }
  });

  test('destroys its app', async () => {
    const destroy = fromDocs('npx cdk destroy Hello --app "node out/app.js"');
    expect(await person.destroy(destroy, there)).toMatchObject({ status: 0 });
    expect(await functions()).toEqual([]);
  });

  test('has the command layers: it builds, checks and looks up', async () => {
    const build = fromDocs(
      'npx layers build --runtime deno --version 2.9.5 --arch arm64 --out dist/layers',
    );
    expect(await person.type(build, there)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^(built|unchanged) .*deno 2\.9\.5 arm64/),
    });
    const check = `npx layers build --runtime node --version 24.21.0 --arch ${NATIVE} --check`;
    expect(await person.type(check, there)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('answered  node-24_21_0'),
    });

    const value = `arn:aws:lambda:${REGION}:${ACCOUNT}:layer:hello:1`;
    const name = '/layers/deno/arm64/latest';
    await person.aws(`ssm put-parameter --name ${name} --type String --value ${value}`);
    expect(await person.type('npx layers arn deno --arch arm64', there)).toMatchObject({
      status: 0,
      stdout: `${value}\n`,
      // Nothing that this project leaves out in its own checkout, either.
      stderr: expect.not.stringContaining('NodeVersionSupportWarning'),
    });
    expect(await person.type('npx layers arn deno --arch amd64', there)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('error [UnknownArchitecture]'),
    });
  });

  test('has met every command that the pages give for it', () => {
    expect([...typed].sort()).toEqual([...WITH_THE_PACKAGE].sort());
  });
});
