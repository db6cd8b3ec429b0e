import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { App, Duration, aws_iam as iam, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import {
  type BuiltLayer,
  LayersError,
  RuntimeFunction,
  type RuntimeFunctionProps,
  RuntimeLayer,
} from '../../lib';
import { temporaryFolder } from '../temporary-folder';
import { ARN, fakeBuild } from './fixture';

function newStack(): Stack {
  return new Stack(new App({ outdir: temporaryFolder() }), 'Stack');
}

const denoLayer = (scope: Stack) =>
  RuntimeLayer.fromArn(scope, 'Layer', { arn: ARN, runtime: 'deno', architecture: 'arm64' });

/** A folder with a handler that imports another file of its own. */
function functionFolder(): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'lib'));
  writeFileSync(join(folder, 'lib/greeting.ts'), "export const greeting: string = 'hello';\n");
  writeFileSync(
    join(folder, 'mod.ts'),
    "import { greeting } from './lib/greeting.ts';\nexport const handler = () => greeting;\n",
  );
  return folder;
}

function functionOf(props: Partial<RuntimeFunctionProps> = {}): Template {
  const stack = newStack();
  new RuntimeFunction(stack, 'Function', {
    layer: denoLayer(stack),
    entry: functionFolder(),
    ...props,
  });
  return Template.fromStack(stack);
}

/** Handler and code of each function, a stack each, as they would be deployed. */
function bundles(
  functions: readonly { readonly entry: string; readonly runtime?: string }[],
): [string, string][] {
  const outdir = temporaryFolder();
  const app = new App({ outdir });
  functions.forEach(({ entry, runtime = 'deno' }, index) => {
    const stack = new Stack(app, `Stack${index}`);
    const props = { arn: ARN, runtime, architecture: 'arm64' as const };
    const layer = RuntimeLayer.fromArn(stack, 'Layer', props);
    new RuntimeFunction(stack, 'Function', { layer, entry });
  });
  return app.synth().stacks.map(({ template }) => {
    const [fn] = Object.values<{ Type: string; Properties: FunctionProperties }>(
      template.Resources,
    ).filter(({ Type }) => Type === 'AWS::Lambda::Function');
    const { Handler, Code } = (fn as { Properties: FunctionProperties }).Properties;
    const folder = join(outdir, `asset.${Code.S3Key.replace('.zip', '')}`);
    const [file] = readdirSync(folder);
    return [Handler, readFileSync(join(folder, file as string), 'utf8')];
  });
}

interface FunctionProperties {
  readonly Handler: string;
  readonly Code: { readonly S3Key: string };
}

describe('RuntimeLayer', () => {
  test('publishes a build: retained, for its architecture, named after its content', () => {
    const stack = newStack();
    const build = fakeBuild('node', '24.21.0', 'x86_64');
    const layer = RuntimeLayer.fromBuild(stack, 'Layer', { build });
    expect(layer).toMatchObject({ runtime: 'node', architecture: 'x86_64' });
    Template.fromStack(stack).hasResource('AWS::Lambda::LayerVersion', {
      DeletionPolicy: 'Retain',
      Properties: { LayerName: build.manifest.name, CompatibleArchitectures: ['x86_64'] },
    });
  });

  test.each([
    [{}, '/layers/deno/arm64/latest'],
    [{ version: '2' }, '/layers/deno/arm64/2'],
    [{ version: '2.9.5', namespace: '/acme/layers' }, '/acme/layers/deno/arm64/2.9.5'],
  ])('reads a release from Parameter Store with %j', (props, name) => {
    const stack = newStack();
    const layer = RuntimeLayer.fromParameter(stack, 'Layer', {
      runtime: 'deno',
      architecture: 'arm64',
      ...props,
    });
    new RuntimeFunction(stack, 'Function', { layer, entry: functionFolder() });
    const template = Template.fromStack(stack);
    const parameters = template.findParameters('*', { Default: name });
    expect(Object.keys(parameters)).toHaveLength(1);
    template.hasResourceProperties('AWS::Lambda::Function', {
      Layers: [{ Ref: Object.keys(parameters)[0] }],
    });
  });

  test.each<[string, string, () => unknown]>([
    ['an ARN of something else', 'InvalidLayer', () => fromArn({ arn: 'arn:aws:s3:::bucket' })],
    ['an ARN without a version', 'InvalidLayer', () => fromArn({ arn: ARN.slice(0, -2) })],
    ['another architecture', 'InvalidLayer', () => fromArn({ architecture: 'amd64' as 'arm64' })],
    [
      'a layer for another architecture',
      'InvalidLayer',
      () => fromArn({ arn: ARN.replace(/layer:.*/, 'layer:deno-2_9_5-x86_64-62a5359f9cef:1') }),
    ],
    [
      'a layer of another runtime',
      'InvalidLayer',
      () => fromArn({ arn: ARN.replace(/layer:.*/, 'layer:node-24_21_0-arm64-62a5359f9cef:1') }),
    ],
    ['another runtime', 'UnknownRuntime', () => fromArn({ runtime: 'perl' })],
    [
      'a build that was not awaited',
      'InvalidLayer',
      () =>
        RuntimeLayer.fromBuild(newStack(), 'Layer', {
          build: Promise.resolve() as unknown as BuiltLayer,
        }),
    ],
    ['another version', 'InvalidLayer', () => fromParameter({ version: 'newest' })],
    ['another namespace', 'InvalidLayer', () => fromParameter({ namespace: 'layers' })],
  ])('fails with %s', (_, code, make) => {
    expect(make).toThrow(LayersError);
    expect(make).toThrow(expect.objectContaining({ code }));
  });

  const base = { runtime: 'deno', architecture: 'arm64' as const };
  const fromArn = (props: object) =>
    RuntimeLayer.fromArn(newStack(), 'Layer', { arn: ARN, ...base, ...props });
  const fromParameter = (props: object) =>
    RuntimeLayer.fromParameter(newStack(), 'Layer', { ...base, ...props });
});

describe('RuntimeFunction', () => {
  test('has what its layer and its runtime say', () => {
    functionOf().hasResourceProperties('AWS::Lambda::Function', {
      Runtime: 'provided.al2023',
      Architectures: ['arm64'],
      Handler: 'mod.handler',
      Layers: [ARN],
      MemorySize: 512,
      Timeout: 30,
    });
  });

  test('takes what any function takes', () => {
    const stack = newStack();
    const fn = new RuntimeFunction(stack, 'Function', {
      layer: denoLayer(stack),
      entry: functionFolder(),
      memorySize: 1024,
      timeout: Duration.minutes(1),
      environment: { GREETING: 'hello' },
    });
    fn.grantInvoke(new iam.AccountPrincipal('123456789012'));
    const template = Template.fromStack(stack);
    template.hasResourceProperties('AWS::Lambda::Function', {
      MemorySize: 1024,
      Timeout: 60,
      Environment: { Variables: { GREETING: 'hello' } },
    });
    template.resourceCountIs('AWS::Lambda::Permission', 1);
  });

  test('bundles a file with what it imports', () => {
    expect(bundles([{ entry: join(functionFolder(), 'mod.ts') }])).toEqual([
      ['mod.handler', expect.stringContaining('"hello"')],
    ]);
  });

  test('bundles files of one folder, and one for several runtimes, each by itself', () => {
    const folder = temporaryFolder();
    for (const name of ['orders', 'payments']) {
      writeFileSync(
        join(folder, `${name}.ts`),
        `import { sep } from 'path'; export const handler = () => sep + 'of ${name}';`,
      );
    }
    const [orders, payments] = ['orders', 'payments'].map((name) => join(folder, `${name}.ts`));
    const made = bundles([
      { entry: orders },
      { entry: payments },
      { entry: payments, runtime: 'node' },
    ]);
    expect(made).toEqual([
      ['orders.handler', expect.stringMatching(/"node:path"[\s\S]*"of orders"/)],
      ['payments.handler', expect.stringMatching(/"node:path"[\s\S]*"of payments"/)],
      ['payments.handler', expect.stringMatching(/"path"[\s\S]*"of payments"/)],
    ]);
  });

  test('resolves what has a name of Node.js in front as esbuild does', () => {
    const folder = temporaryFolder();
    const files = {
      'tsconfig.json': '{"compilerOptions":{"paths":{"domain/*":["./src/*"]}}}',
      'src/user.ts': "export const user = 'ada';",
      'node_modules/punycode/package.json': '{"name":"punycode","main":"index.js"}',
      'node_modules/punycode/index.js': "exports.from = 'npm';",
      'node_modules/older/index.js':
        "exports.folder = __dirname; exports.from = require('punycode/').from; require('fs');",
      'mod.ts': `import { user } from 'domain/user'; import older from 'older';
        import { readFile } from 'fs/promises'; const __filename = 'own';
        export const handler = () => [user, older, readFile, __filename];`,
    };
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    for (const runtime of ['node', 'deno', 'bun']) {
      const [[, bundle]] = bundles([{ entry: join(folder, 'mod.ts'), runtime }]);
      expect(bundle).toContain('"ada"');
      expect(bundle).toContain('from = "npm"');
      expect(bundle).toContain('folder = import.meta.dirname');
      expect(bundle).toContain('__filename = "own"');
      expect(bundle).not.toMatch(/node:(domain|punycode)/);
      expect(bundle.includes('"node:fs/promises"')).toBe(runtime !== 'node');
    }
  });

  test.each([
    ['my file.ts', 'my-file.handler'],
    ['api.v1.ts', 'api-v1.handler'],
  ])('names the bundle of %s as Lambda takes it', (file, handler) => {
    const entry = join(temporaryFolder(), file);
    writeFileSync(entry, 'export const handler = () => 1;');
    expect(bundles([{ entry }])[0][0]).toBe(handler);
  });

  test('takes a handler in a folder whose name has a dot', () => {
    const entry = temporaryFolder();
    mkdirSync(join(entry, 'api.v1'));
    writeFileSync(join(entry, 'api.v1/mod.ts'), '');
    functionOf({ entry, handler: 'api.v1/mod.handler' }).hasResourceProperties(
      'AWS::Lambda::Function',
      { Handler: 'api.v1/mod.handler' },
    );
  });

  test('leaves modules of Bun to Bun', () => {
    const entry = join(temporaryFolder(), 'mod.ts');
    writeFileSync(
      entry,
      "import { Database } from 'bun:sqlite'; export const handler = () => new Database(':memory:');",
    );
    expect(bundles([{ entry, runtime: 'bun' }])[0][1]).toContain('from "bun:sqlite"');
    expect(() => bundles([{ entry }])).toThrow(expect.objectContaining({ code: 'BundleFailed' }));
  });

  test.each([
    ['mod.tsx', true],
    ['mod.mts', true],
    ['mod.cjs', true],
    ['mod.py', false],
  ])('knows whether Deno takes %s as a handler: %s', (file, known) => {
    const entry = temporaryFolder();
    writeFileSync(join(entry, file), 'handler');
    const make = () => functionOf({ entry });
    if (known) expect(make).not.toThrow();
    else expect(make).toThrow('names no file');
  });

  test.each<[Partial<RuntimeFunctionProps>, string]>([
    [{ entry: 'nowhere' }, 'entry "nowhere" does not exist'],
    [{ handler: 'handler' }, 'handler "handler" is not <file>.<function>'],
    [{ handler: 'main.handler' }, 'handler "main.handler" names no file'],
    [{ entry: __filename, handler: 'mod handler' }, 'is not the name of an export'],
  ])('fails with %j', (props, message) => {
    expect(() => functionOf(props)).toThrow(message);
  });

  test.each([
    ['npm:ms', "import ms from 'npm:ms@2'; export const handler = ms;"],
    ['https:', "import x from 'https://deno.land/x/x.ts'; export const handler = x;"],
    ['a package', "import x from 'not-installed'; export const handler = x;"],
  ])('fails for a file that imports %s, which Lambda could not load', (_, source) => {
    const entry = join(temporaryFolder(), 'mod.ts');
    writeFileSync(entry, source);
    expect(() => functionOf({ entry })).toThrow(expect.objectContaining({ code: 'BundleFailed' }));
  });
});
