import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { buildExamples, describeExample, loadRuntimes, resolveLayers } from '../../lib/layers';
import { buildLayers } from '../../lib/layers/build';
import { temporaryFolder } from '../temporary-folder';
import { fixtureRuntime, tinySpec, writeFiles } from './fixtures';

describe('the runtimes of the project', () => {
  test('are complete: every pinned version resolves on both architectures', () => {
    const runtimes = loadRuntimes();
    expect(runtimes.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['bun', 'deno', 'node']),
    );
    const selection = runtimes.map(({ name, versions }) => ({
      name,
      versions: Object.keys(versions),
      architectures: ['arm64', 'x86_64'] as const,
    }));
    const specs = resolveLayers({ runtimes: selection }, runtimes);
    const pins = runtimes.flatMap(({ versions }) => Object.values(versions).flatMap(Object.values));
    expect(specs.map(({ source }) => source.integrity).sort()).toEqual(pins.sort());
    expect(new Set(specs.map(({ inputs }) => inputs)).size).toBe(specs.length);
  });

  test('say which files their clients look for', () => {
    for (const { folder, shim, handlerExtensions } of loadRuntimes()) {
      const source = readFileSync(join(folder, shim), 'utf8');
      const list = handlerExtensions?.map((extension) => `'${extension}'`).join(', ');
      expect(source).toContain(`extensions: [${list}]`);
    }
  });

  test('have an example function each', () => {
    for (const runtime of loadRuntimes()) {
      const example = describeExample(runtime);
      expect(example.handler).toBe(runtime.example.handler);
      expect(example.digest).toMatch(/^[0-9a-f]{64}$/);
    }
  });
});

test('a new runtime is one folder: layer and example function', async () => {
  const folder = temporaryFolder();
  const { runtimes, fetchTarball } = await fixtureRuntime(folder, {
    files: { 'example/main.js': 'answer();\n' },
  });
  const outDir = temporaryFolder();
  const [layer] = await buildLayers({ specs: [tinySpec(runtimes)], outDir, fetchTarball });
  expect(layer?.name).toMatch(/^tiny-1_0_0-x86_64-[0-9a-f]{12}$/);
  const [example] = await buildExamples({ runtimes, outDir, examplesRoot: temporaryFolder() });
  expect(example).toMatchObject({ runtime: 'tiny', handler: 'main.handler' });
});

describe('resolving', () => {
  test.each([
    [{ name: 'tiny', versions: ['1.0.1'] }, 'UnknownVersion', 'pins 1.0.0'],
    [{ name: 'bun', versions: ['1.0.0'] }, 'UnknownRuntime', 'there are tiny'],
  ])('fails for %j and lists what exists', async (wanted, code, listed) => {
    const { runtimes } = await fixtureRuntime(temporaryFolder());
    const selection = { runtimes: [{ ...wanted, architectures: ['arm64'] as const }] };
    expect(() => resolveLayers(selection, runtimes)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(listed) }),
    );
  });

  test('the fingerprint follows the bytes of the runtime folder', async () => {
    const inputsWith = async (files: Record<string, string>, settings = {}) => {
      const { runtimes } = await fixtureRuntime(temporaryFolder(), { files, settings });
      return tinySpec(runtimes).inputs;
    };
    const original = await inputsWith({});
    // Tarballs carry times, so their integrities differ from one fixture to the next; pin them.
    const versions = { '1.0.0': { arm64: pin('a'), x86_64: pin('b') } };
    const pinned = await inputsWith({}, { versions });
    expect(await inputsWith({ 'notes.txt': 'not shipped' }, { versions })).toBe(pinned);
    const changed = await Promise.all([
      inputsWith({ bootstrap: '#!/bin/sh\nexec tiny -v\n' }, { versions }),
      inputsWith({ 'shim.js': 'run(2);\n' }, { versions }),
      inputsWith({}, { versions, revision: 2 }),
      inputsWith({}, { versions, license: 'Apache-2.0' }),
      inputsWith({}, { versions: { '1.0.0': { arm64: pin('a'), x86_64: pin('c') } } }),
    ]);
    expect(new Set([original, pinned, ...changed]).size).toBe(7);
  });

  const asFolder = { from: 'folder', path: 'LICENSE' };
  test.each([
    ['the bootstrap is missing', 'bootstrap', undefined, {}, 'MissingBootstrap'],
    ['the shim is missing', 'shim.js', undefined, {}, 'MissingShim'],
    ['the licence is missing', 'LICENSE', undefined, { licenseFile: asFolder }, 'MissingLicense'],
    ['the bootstrap has no interpreter', 'bootstrap', 'exec tiny\n', {}, 'InvalidBootstrap'],
    ['the bootstrap is there twice', 'bin/x86_64/bootstrap', '#!/bin/sh\n', {}, 'InvalidBootstrap'],
    ['the bootstrap has CRLF', 'bootstrap', '#!/bin/sh\r\ntiny\r\n', {}, 'InvalidBootstrap'],
  ])('fails when %s', async (_, file, content, settings, code) => {
    const folder = temporaryFolder();
    const { runtimes } = await fixtureRuntime(folder, {
      settings,
      files: content === undefined ? {} : { [file]: content },
      without: content === undefined ? [file] : [],
    });
    expect(() => tinySpec(runtimes)).toThrow(
      expect.objectContaining({
        code,
        message: expect.stringContaining(join(folder, 'tiny', file)),
      }),
    );
  });
});

describe('runtime.json', () => {
  test('fails with every fault at once', async () => {
    const settings = {
      licence: 'MIT',
      compatibleRuntimes: ['provided.al2'],
      revision: 0,
      versions: { '1.0': { arm64: pin('a'), x86_64: 'sha1-abc' } },
      binary: { path: '../tiny', name: 'tiny', strip: true },
      knownAs: { purl: 'tiny@{version}', cpe: 'cpe:2.3:a:tiny:tiny:1.0:*:*:*:*:*:*:*' },
    };
    await expect(fixtureRuntime(temporaryFolder(), { settings })).rejects.toMatchObject({
      code: 'InvalidRuntime',
      message: expect.stringMatching(
        /compatibleRuntimes.0: .*provided.al2023.*revision.*binary.path.*knownAs.purl.*knownAs.cpe.*versions.1\.0.*licence/s,
      ),
    });
  });

  test('tells of what is missing or unknown as the configuration does', async () => {
    const settings = { revision: undefined, binary: { path: 'tiny' }, licence: 'MIT', shim: 5 };
    await expect(fixtureRuntime(temporaryFolder(), { settings })).rejects.toMatchObject({
      code: 'InvalidRuntime',
      message: expect.stringMatching(
        /: revision: is missing; add it; binary.name: is missing; add it; binary.strip: is missing; add it; shim: 5 is not what belongs here; write a text in quotes; licence: is not a known field; check its spelling, or remove it$/,
      ),
    });
  });

  test('fails when it is not JSON', () => {
    const root = writeFiles(temporaryFolder(), { 'tiny/runtime.json': '{' });
    expect(() => loadRuntimes(root)).toThrow(
      expect.objectContaining({ code: 'InvalidRuntime', message: expect.stringContaining(root) }),
    );
  });

  test('fails when a folder has none', () => {
    const root = temporaryFolder();
    mkdirSync(join(root, 'tiny'));
    expect(() => loadRuntimes(root)).toThrow(expect.objectContaining({ code: 'InvalidRuntime' }));
  });

  test('fails when there is no runtime at all', () => {
    const none = expect.objectContaining({ code: 'NoRuntimes' });
    expect(() => loadRuntimes(temporaryFolder())).toThrow(none);
    expect(() => loadRuntimes(join(temporaryFolder(), 'absent'))).toThrow(none);
  });
});

describe('an example function', () => {
  test('fails when a runtime has none', async () => {
    const { runtimes } = await fixtureRuntime(temporaryFolder());
    expect(() => runtimes.map((runtime) => describeExample(runtime, temporaryFolder()))).toThrow(
      expect.objectContaining({ code: 'MissingExample' }),
    );
  });

  test('has a digest of its files, the same as its zip is named after', async () => {
    const { runtimes } = await fixtureRuntime(temporaryFolder());
    const describeWith = (files: Record<string, string>) => {
      const examplesRoot = writeFiles(temporaryFolder(), files);
      return runtimes.map((runtime) => describeExample(runtime, examplesRoot).digest)[0];
    };
    const digest = describeWith({ 'tiny/main.js': 'a' });
    expect(describeWith({ 'tiny/main.js': 'a' })).toBe(digest);
    expect(describeWith({ 'tiny/main.js': 'b' })).not.toBe(digest);
    const examplesRoot = writeFiles(temporaryFolder(), { 'tiny/main.js': 'a' });
    const [built] = await buildExamples({ runtimes, outDir: temporaryFolder(), examplesRoot });
    expect(built?.digest).toBe(digest);
  });

  test('holds what links lead to, and nothing of an editor', async () => {
    const { runtimes } = await fixtureRuntime(temporaryFolder());
    const digestIn = (examplesRoot: string) => describeExample(runtimes[0], examplesRoot).digest;
    const plain = { 'tiny/main.js': 'a', 'tiny/alias.js': 'a' };
    const examplesRoot = writeFiles(temporaryFolder(), {
      'tiny/main.js': 'a',
      'tiny/.vscode/settings.json': '{}',
      'tiny/lib/.hidden': '',
    });
    symlinkSync('main.js', join(examplesRoot, 'tiny/alias.js'));
    expect(digestIn(examplesRoot)).toBe(digestIn(writeFiles(temporaryFolder(), plain)));
  });
});

function pin(letter: string): string {
  return `sha512-${letter.repeat(86)}==`;
}
