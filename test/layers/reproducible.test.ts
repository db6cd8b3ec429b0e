import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { join, relative } from 'node:path';
import { buildLayers } from '../../lib/layers/build';
import { reproducibleZip } from '../../lib/layers/zip';
import { temporaryFolder } from '../temporary-folder';
import {
  type BuiltLayer,
  fixtureRuntime,
  HOST,
  PROJECT,
  realLayer,
  runScript,
  tinySpec,
} from './fixtures';

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const module_ = (path: string) => `require(${JSON.stringify(join(PROJECT, path))})`;

/** Zips the same small tree, found in another order, and prints the zip's hash. */
const ZIP_SCRIPT = `
  const { reproducibleZip } = ${module_('lib/layers/zip.ts')};
  const text = 'The quick brown fox. '.repeat(5000);
  const files = [['z/last', 0o644, text], ['bootstrap', 0o755, text + 1], ['bin/a', 0o755, text + 2]]
    .map(([path, mode, content]) => ({ path, mode, content: Buffer.from(content) }));
  reproducibleZip(files).then((zip) =>
    console.log(require('node:crypto').createHash('sha256').update(zip).digest('hex')));`;

const text = 'The quick brown fox. '.repeat(5000);
const files = [
  { path: 'bin/a', mode: 0o755, content: Buffer.from(`${text}2`) },
  { path: 'bootstrap', mode: 0o755, content: Buffer.from(`${text}1`) },
  { path: 'z/last', mode: 0o644, content: Buffer.from(text) },
];

let node: BuiltLayer;
beforeAll(async () => {
  node = await realLayer('node');
}, 120_000);

describe('the same files give the same zip', () => {
  test.each([
    ['in another time zone', { timeZone: 'Pacific/Kiritimati' }],
    ['in a time zone behind', { timeZone: 'America/St_Johns' }],
    ['with another umask', { umask: '077' }],
    ['from another folder', { cwd: '/' }],
  ])('%s', async (_, options) => {
    expect(await runScript(ZIP_SCRIPT, options)).toBe(sha256(await reproducibleZip(files)));
  });

  test('with the Node.js that the layer ships', async () => {
    const options = {
      node: join(node.folder, 'bin/node'),
      umask: '027',
      timeZone: 'Asia/Kathmandu',
    };
    expect(await runScript('console.log(process.version)', options)).toBe(
      `v${node.manifest.version}`,
    );
    expect(await runScript(ZIP_SCRIPT, options)).toBe(sha256(await reproducibleZip(files)));
  });

  test('at another time', async () => {
    const before = await reproducibleZip(files);
    jest.useFakeTimers({
      now: new Date('2040-02-29T23:59:59Z'),
      doNotFake: ['nextTick', 'setImmediate'],
    });
    try {
      expect((await reproducibleZip(files)).equals(before)).toBe(true);
    } finally {
      jest.useRealTimers();
    }
  });
});

test('a checkout with other times and modes gives the same layer', async () => {
  const folder = temporaryFolder();
  const { runtimes, fetchTarball } = await fixtureRuntime(folder);
  const [first] = await buildLayers({
    specs: [tinySpec(runtimes)],
    outDir: temporaryFolder(),
    fetchTarball,
  });
  for (const file of ['bootstrap', 'shim.js', 'runtime.json']) {
    utimesSync(join(folder, 'tiny', file), 1, 1);
  }
  const [second] = await buildLayers({
    specs: [tinySpec(runtimes)],
    outDir: temporaryFolder(),
    fetchTarball,
  });
  expect(second).toEqual(first);
});

test('a checkout by a git that writes Windows line ends has the same files', () => {
  const folder = temporaryFolder();
  const git = (...args: string[]) => execFileSync('git', args, { cwd: folder });
  git('init', '--quiet');
  git('config', 'core.autocrlf', 'true');
  cpSync(join(PROJECT, '.gitattributes'), join(folder, '.gitattributes'));
  const files = ['LICENSE', 'assets/runtimes', 'assets/runtime-api', 'assets/examples'].flatMap(
    (path) => {
      cpSync(join(PROJECT, path), join(folder, path), { recursive: true });
      if (path === 'LICENSE') return [path];
      return readdirSync(join(folder, path), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
    },
  );
  git('add', '.');
  for (const file of files) rmSync(join(folder, file));
  git('checkout', '--quiet', '.');
  const same = (file: string) =>
    readFileSync(join(folder, file)).equals(readFileSync(join(PROJECT, file)));
  expect(files.filter((file) => !same(file))).toEqual([]);
});

test('a real layer, built anew by the Node.js that it ships, is the same to the byte', async () => {
  const outDir = temporaryFolder();
  const script = `
    const { buildLayers, loadRuntimes, resolveLayers } = ${module_('lib/layers/index.ts')};
    const selection = { name: 'node', versions: ['${node.manifest.version}'], architectures: ['${HOST}'] };
    const specs = resolveLayers({ runtimes: [selection] }, loadRuntimes());
    buildLayers({ specs, outDir: ${JSON.stringify(outDir)} })
      .then(([manifest]) => console.log(JSON.stringify(manifest)));`;
  const options = {
    node: join(node.folder, 'bin/node'),
    umask: '077',
    timeZone: 'Pacific/Chatham',
    cwd: temporaryFolder(),
  };
  const manifest = JSON.parse(await runScript(script, options));
  expect(manifest).toEqual(node.manifest);
  const again = readFileSync(join(outDir, `${manifest.name}.zip`));
  expect(sha256(again)).toBe(sha256(readFileSync(node.zip)));
}, 120_000);
