import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { extract } from 'tar';
import { LocalFunction } from '../../lib/invoke';

jest.setTimeout(120_000);

const ROOT = resolve(__dirname, '../..');
const NAME = 'lambda-runtime-layers';
const scratch = mkdtempSync(join(tmpdir(), 'package-test-'));
const outside = join(scratch, 'outside');
const run = promisify(execFile);

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** What `npm pack` makes of this checkout, installed in a folder outside it. */
async function install(): Promise<void> {
  const checkout = join(scratch, 'checkout');
  for (const name of ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'lib', 'assets']) {
    cpSync(join(ROOT, name), join(checkout, name), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(checkout, 'node_modules'), 'dir');
  await run('npm', ['pack', '--pack-destination', scratch], { cwd: checkout });
  const { version, dependencies, peerDependencies } = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  );
  const installed = join(outside, 'node_modules', NAME);
  mkdirSync(installed, { recursive: true });
  await extract({ file: join(scratch, `${NAME}-${version}.tgz`), cwd: installed, strip: 1 });
  // Only what the package declares: a dependency that it forgot is not there.
  for (const name of Object.keys({ ...dependencies, ...peerDependencies })) {
    const link = join(outside, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), link, 'dir');
  }
}

const APP = `
import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import { buildRuntimeLayer, RuntimeFunction, RuntimeLayer } from '${NAME}';

async function main(): Promise<void> {
  const app = new App({ outdir: 'cdk.out' });
  const stack = new Stack(app, 'Hello');
  const build = await buildRuntimeLayer({
    runtime: 'node',
    architecture: process.arch === 'arm64' ? 'arm64' : 'x86_64',
    outDir: process.env.LAYERS_DIR,
  });
  const layer = RuntimeLayer.fromBuild(stack, 'Node', { build });
  const fn = new RuntimeFunction(stack, 'Function', { layer, entry: 'hello.ts' });
  new CfnOutput(stack, 'Name', { value: fn.functionName });
  app.synth();
}

main();
`;

const HELLO = `
import ssri from 'ssri';
import { greeting } from './greeting';

export const handler = (event: { name: string }) =>
  [greeting, event.name, ssri.fromData(event.name).toString().slice(0, 6)].join(' ');
`;

describe('the packed package', () => {
  beforeAll(async () => {
    await install();
    const files = {
      'app.ts': APP,
      'hello.ts': HELLO,
      'greeting.ts': "export const greeting = 'hello';\n",
      'tsconfig.json': JSON.stringify({
        compilerOptions: {
          target: 'ES2022',
          module: 'node20',
          strict: true,
          esModuleInterop: true,
          skipLibCheck: true,
          types: ['node'],
          typeRoots: [join(ROOT, 'node_modules/@types')],
          outDir: 'out',
        },
        files: ['app.ts'],
      }),
    };
    for (const [name, content] of Object.entries(files))
      writeFileSync(join(outside, name), content);
  });

  test('holds the compiled library and the runtimes, and neither sources nor tests', async () => {
    const { stdout } = await run('find', ['.', '-type', 'f'], {
      cwd: join(outside, 'node_modules', NAME),
    });
    const files = stdout
      .trim()
      .split('\n')
      .map((file) => file.slice(2));
    expect(files).toEqual(
      expect.arrayContaining([
        'package.json',
        'build/index.js',
        'build/index.d.ts',
        'assets/runtimes/deno/runtime.json',
        'assets/runtimes/deno/bootstrap',
      ]),
    );
    expect(files.filter((file) => /^(test|lib|stages)\//.test(file))).toEqual([]);
  });

  test('type-checks and synthesizes an app of somebody else, whose function answers', async () => {
    await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc')], { cwd: outside });
    const LAYERS_DIR = join(ROOT, 'dist/layers');
    await run(process.execPath, ['out/app.js'], {
      cwd: outside,
      env: { ...process.env, LAYERS_DIR },
    });
    const out = join(outside, 'cdk.out');
    const template = JSON.parse(readFileSync(join(out, 'Hello.template.json'), 'utf8'));
    const resources = Object.values(template.Resources) as { Type: string }[];
    const fn = resources.find(({ Type }) => Type === 'AWS::Lambda::Function') as {
      Type: string;
      Properties: { Handler: string; Runtime: string; Code: { S3Key: string } };
    };
    expect(fn.Properties).toMatchObject({ Handler: 'hello.handler', Runtime: 'provided.al2023' });

    const codeDir = join(out, `asset.${fn.Properties.Code.S3Key.replace('.zip', '')}`);
    for (const runtime of ['node', 'deno']) {
      const local = await LocalFunction.create({
        runtime,
        codeDir,
        handler: fn.Properties.Handler,
        outDir: LAYERS_DIR,
      });
      try {
        const { payload } = await local.invoke('{"name":"world"}');
        expect(JSON.parse(payload)).toBe('hello world sha512');
      } finally {
        await local.close();
      }
    }
  });
});
