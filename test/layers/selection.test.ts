import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configuredRuntimes, loadRuntimes } from '../../lib/layers';
import { selectRuntimes } from '../../lib/layers/selection';
import { temporaryFolder } from '../temporary-folder';
import { PROJECT } from './fixtures';

const runtimes = loadRuntimes();
const configured = [
  { name: 'deno', versions: ['2.9.4', '2.9.5'], architectures: ['arm64'] as const },
];
const select = (options: Parameters<typeof selectRuntimes>[0]) =>
  selectRuntimes(options, configured, runtimes);

test('the configuration of the project names runtimes that exist', () => {
  const selected = configuredRuntimes(PROJECT);
  expect(selectRuntimes({}, selected, runtimes)).toEqual(
    selected.map(({ name, versions, architectures }) => ({ name, versions, architectures })),
  );
});

test.each([
  ['without cdk.json', undefined],
  ['whose cdk.json is that of another app', '{ "app": "node app.js" }'],
])('a folder %s configures nothing, and a runtime has to be named', (_, text) => {
  const folder = temporaryFolder();
  if (text) writeFileSync(join(folder, 'cdk.json'), text);
  const none = configuredRuntimes(folder);
  expect(selectRuntimes({ runtimes: ['deno'] }, none, runtimes)).toEqual([
    { name: 'deno', versions: ['2.9.5'], architectures: ['arm64', 'x86_64'] },
  ]);
  expect(() => selectRuntimes({}, none, runtimes)).toThrow(
    expect.objectContaining({
      code: 'NothingToBuild',
      message: 'no cdk.json here configures a runtime; name one, for example --runtime bun',
    }),
  );
});

test('a configuration that is wrong is an error, and not as none', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'cdk.json'), '{ "context": { "delivery": {} } }');
  expect(() => configuredRuntimes(folder)).toThrow(
    expect.objectContaining({ code: 'InvalidConfiguration' }),
  );
});

test('without options everything configured is built', () => {
  expect(select({})).toEqual(configured);
});

test('an option narrows what is configured', () => {
  expect(select({ runtimes: ['deno'], versions: ['2.9.4'], architecture: 'arm64' })).toEqual([
    { name: 'deno', versions: ['2.9.4'], architectures: ['arm64'] },
  ]);
});

test('a runtime that is not configured gives its newest version on both architectures', () => {
  const newest = Object.keys(runtimes.find(({ name }) => name === 'node')?.versions ?? {})
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .at(-1);
  expect(select({ runtimes: ['node'] })).toEqual([
    { name: 'node', versions: [newest], architectures: ['arm64', 'x86_64'] },
  ]);
});

test.each([
  [{ architecture: 'x86_64' as const }, 'NothingToBuild'],
  [{ runtimes: ['perl'] }, 'UnknownRuntime'],
  [{ runtimes: ['deno', 'node'], versions: ['2.9.5'] }, 'AmbiguousVersion'],
])('fails for %j', (options, code) => {
  expect(() => select(options)).toThrow(expect.objectContaining({ code }));
});
