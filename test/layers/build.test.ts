import { randomBytes } from 'node:crypto';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readZipEntry } from '../../lib/archive';
import { findManifest, readManifests } from '../../lib/layers';
import { type BuildProgress, buildLayers } from '../../lib/layers/build';
import type { FetchTarball } from '../../lib/layers/download';
import { zipPath } from '../../lib/layers/manifests';
import type { LayerManifest } from '../../lib/release';
import { temporaryFolder } from '../temporary-folder';
import { elf, fixtureRuntime, integrityOf, tinySpec, writeFiles } from './fixtures';

const noFetch: FetchTarball = async () => {
  throw new Error('nothing may be fetched');
};

describe('a build', () => {
  test('writes a zip and the manifest that describes it', async () => {
    const { runtimes, fetchTarball } = await fixtureRuntime(temporaryFolder());
    const spec = tinySpec(runtimes);
    const outDir = temporaryFolder();
    const [manifest] = await buildLayers({ specs: [spec], outDir, fetchTarball });
    expect(readdirSync(outDir).sort()).toEqual([`${manifest?.name}.json`, `${manifest?.name}.zip`]);
    expect(readManifests([outDir])).toEqual([manifest]);
    expect(findManifest(spec, [join(outDir, 'absent'), outDir])).toEqual(manifest);
    expect(manifest).toMatchObject({ description: 'Tiny 1.0.0', glibc: '2.17', license: 'MIT' });
    expect(manifest?.files.map(({ path, mode }) => [path, mode.toString(8)])).toEqual(
      [
        ['bin/tiny', '755'],
        ['bootstrap', '755'],
        ['shim.js', '644'],
        ['share/licenses/lambda-runtime-layers/LICENSE', '644'],
        ['share/licenses/tiny/LICENSE', '644'],
      ].sort(),
    );
    expect(manifest?.zipBytes).toBe(readFileSync(join(outDir, `${manifest?.name}.zip`)).length);
  });

  test('does nothing when nothing changed', async () => {
    const { runtimes, fetchTarball } = await fixtureRuntime(temporaryFolder());
    const outDir = temporaryFolder();
    const specs = [tinySpec(runtimes, 'arm64'), tinySpec(runtimes, 'x86_64')];
    const first = await buildLayers({ specs, outDir, fetchTarball });
    const steps: BuildProgress['step'][] = [];
    const onProgress = ({ step }: BuildProgress) => steps.push(step);
    const second = await buildLayers({ specs, outDir, fetchTarball: noFetch, onProgress });
    expect(second).toEqual(first);
    expect(steps).toEqual(['unchanged', 'unchanged']);
  });

  test.each([
    ['is longer', (zip: string) => appendFileSync(zip, 'x')],
    ['has a flipped byte', (zip: string) => flipByte(zip)],
  ])('is done again when the zip %s than its manifest says', async (_, damage) => {
    const { runtimes, fetchTarball } = await fixtureRuntime(temporaryFolder());
    const outDir = temporaryFolder();
    const options = { specs: [tinySpec(runtimes)], outDir, fetchTarball };
    const [manifest] = await buildLayers(options);
    const zip = join(outDir, `${manifest?.name}.zip`);
    const original = readFileSync(zip);
    damage(zip);
    expect(await buildLayers(options)).toEqual([manifest]);
    expect(readFileSync(zip).equals(original)).toBe(true);
  });

  test('gives one layer name per content and per revision', async () => {
    const interpreter = elf();
    const nameWith = async (settings: Record<string, unknown>, files = {}) => {
      const packages = { x86_64: { 'bin/tiny': interpreter, LICENSE: 'Free.\n' } };
      const fixture = await fixtureRuntime(temporaryFolder(), { packages, settings, files });
      const specs = [tinySpec(fixture.runtimes)];
      const built = await buildLayers({ ...fixture, specs, outDir: temporaryFolder() });
      return built[0]?.name;
    };
    const original = await nameWith({});
    expect(await nameWith({})).toBe(original);
    expect(await nameWith({ revision: 2 })).not.toBe(original);
    expect(await nameWith({ license: 'Apache-2.0' })).not.toBe(original);
    expect(await nameWith({}, { 'shim.js': 'ruN();\n' })).not.toBe(original);
  });
});

describe('a bootstrap that is a program', () => {
  const build = async (files: Record<string, string | Buffer>) => {
    const fixture = await fixtureRuntime(temporaryFolder(), { files, without: ['bootstrap'] });
    const outDir = temporaryFolder();
    const [manifest] = await buildLayers({
      ...fixture,
      specs: [tinySpec(fixture.runtimes)],
      outDir,
    });
    return readZipEntry(zipPath(manifest, outDir), 'bootstrap');
  };

  test('is that of the architecture, and is told the version', async () => {
    const asking = Buffer.from(`asks for {version}${'\0'.repeat(32)}!`);
    const told = `asks for 1.0.0${'\0'.repeat(32 + '{version}'.length - '1.0.0'.length)}!`;
    const program = elf({ payload: asking });
    const files = {
      'bin/x86_64/bootstrap': program,
      'bin/arm64/bootstrap': elf({ machine: 183 }),
    };
    const expected = Buffer.from(program);
    expected.write(told, expected.indexOf(asking), 'latin1');
    expect((await build(files))?.equals(expected)).toBe(true);
  });

  test('is refused where it is for the other one', async () => {
    const files = { 'bin/x86_64/bootstrap': elf({ machine: 183 }) };
    await expect(build(files)).rejects.toMatchObject({
      code: 'WrongArchitecture',
      message: expect.stringMatching(/tiny\/bin\/x86_64\/bootstrap is built for arm64/),
    });
  });
});

describe('a library that the interpreter needs and Lambda lacks', () => {
  const program = { libraries: ['libc.so.6', 'libextra.so.2'], imports: ['extra'] };
  const build = async (interpreter: Buffer, library: Buffer | string) => {
    const fixture = await fixtureRuntime(temporaryFolder(), {
      packages: { x86_64: { 'bin/tiny': interpreter, LICENSE: 'Free.\n' } },
      files: { 'lib/x86_64/libextra.so.2': library },
    });
    const outDir = temporaryFolder();
    return buildLayers({ ...fixture, specs: [tinySpec(fixture.runtimes)], outDir });
  };
  const pathsOf = ([manifest]: LayerManifest[]) => manifest?.files.map(({ path }) => path);

  test('comes out of the runtime’s folder', async () => {
    const built = await build(elf(program), elf({ exports: ['other', 'extra'] }));
    expect(pathsOf(built)).toContain('lib/tiny/libextra.so.2');
  });

  test('stays out of the layer of a version that does without', async () => {
    const built = await build(elf(), elf({ exports: ['extra'] }));
    expect(pathsOf(built)).not.toContain('lib/tiny/libextra.so.2');
  });

  const fileName = /\S+\/tiny\/lib\/x86_64\/libextra\.so\.2/.source;
  test.each([
    ['lacks a function', elf({ exports: ['extras'] }), 'LibraryMissing', 'needs extra, which FILE'],
    ['is for arm64', elf({ machine: 183 }), 'WrongArchitecture', 'FILE is built for arm64'],
    ['is no library', 'extra', 'NotElf', 'FILE is not an ELF file'],
  ])('stops the build where it %s', async (_, library, code, message) => {
    await expect(build(elf(program), library)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message.replace('FILE', fileName)),
    });
  });
});

describe('a build fails and leaves nothing that looks finished', () => {
  const license = { LICENSE: 'Free.\n' };
  const cases: [string, Record<string, string | Buffer>, string, RegExp][] = [
    [
      'the layer is larger than Lambda takes',
      { ...license, 'bin/tiny': elf({ payload: Buffer.alloc(262_144_000) }) },
      'LayerTooLarge',
      /262144000.*binary\.strip/,
    ],
    [
      'the interpreter is for the other architecture',
      { ...license, 'bin/tiny': elf({ machine: 183 }) },
      'WrongArchitecture',
      /tiny-x64@1\.0\.0 is built for arm64, not for x86_64/,
    ],
    [
      'the interpreter needs a newer glibc',
      { ...license, 'bin/tiny': elf({ needs: ['GLIBC_2.38'] }) },
      'GlibcTooNew',
      /needs glibc 2\.38, but provided\.al2023 has 2\.34/,
    ],
    [
      'the interpreter needs a library that Lambda lacks',
      { ...license, 'bin/tiny': elf({ libraries: ['libc.so.6', 'libatomic.so.1'] }) },
      'LibraryMissing',
      /needs libatomic\.so\.1, which neither provided\.al2023 nor \S+\/tiny\/lib\/x86_64 has/,
    ],
    [
      'the interpreter is built for musl',
      { ...license, 'bin/tiny': elf({ loader: '/lib/ld-musl-x86_64.so.1' }) },
      'NotGlibc',
      /ld-musl/,
    ],
    ['the interpreter is a script', { ...license, 'bin/tiny': '#!/bin/sh' }, 'NotElf', /bin\/tiny/],
    ['the package lacks the interpreter', license, 'MissingInPackage', /no file bin\/tiny/],
    ['the package lacks the licence', { 'bin/tiny': elf() }, 'MissingInPackage', /no file LICENSE/],
  ];
  test.each(cases)('when %s', async (_, x86_64, code, message) => {
    const { runtimes, fetchTarball } = await fixtureRuntime(temporaryFolder(), {
      packages: { x86_64 },
    });
    const outDir = temporaryFolder();
    const building = buildLayers({ specs: [tinySpec(runtimes)], outDir, fetchTarball });
    await expect(building).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect(readdirSync(outDir)).toEqual([]);
  });

  test('when one byte of the tarball is flipped', async () => {
    const fixture = await fixtureRuntime(temporaryFolder());
    const outDir = temporaryFolder();
    const fetchTarball: FetchTarball = async (source) => {
      const tarball = Buffer.from(await fixture.fetchTarball(source));
      tarball[40] = (tarball[40] as number) ^ 1;
      return tarball;
    };
    const building = buildLayers({ specs: [tinySpec(fixture.runtimes)], outDir, fetchTarball });
    await expect(building).rejects.toMatchObject({ code: 'IntegrityMismatch' });
    expect(readdirSync(outDir)).toEqual([]);
  });

  test('when the disk refuses the zip', async () => {
    const { runtimes, fetchTarball } = await fixtureRuntime(temporaryFolder());
    const specs = [tinySpec(runtimes)];
    const [layer] = await buildLayers({ specs, outDir: temporaryFolder(), fetchTarball });
    // A folder in the zip's place: writing the neighbour works, the last step does not.
    const outDir = writeFiles(temporaryFolder(), { [`${layer?.name}.zip/occupied`]: '' });
    await expect(buildLayers({ specs, outDir, fetchTarball })).rejects.toMatchObject({
      code: 'WriteFailed',
    });
    expect(readdirSync(outDir)).toEqual([`${layer?.name}.zip`]);
  });

  test('when the output folder is a file', async () => {
    const { runtimes, fetchTarball } = await fixtureRuntime(temporaryFolder());
    const outDir = join(writeFiles(temporaryFolder(), { taken: '' }), 'taken');
    const building = buildLayers({ specs: [tinySpec(runtimes)], outDir, fetchTarball });
    await expect(building).rejects.toMatchObject({
      code: 'WriteFailed',
      message: expect.stringContaining(outDir),
    });
  });

  test('for several layers at once, with every fault and the good ones done', async () => {
    const { runtimes, fetchTarball } = await fixtureRuntime(temporaryFolder(), {
      packages: {
        arm64: { 'bin/tiny': 'script' },
        x86_64: { LICENSE: 'Free.' },
      },
    });
    const good = await fixtureRuntime(temporaryFolder());
    const outDir = temporaryFolder();
    const specs = [
      tinySpec(runtimes, 'arm64'),
      tinySpec(good.runtimes, 'arm64'),
      tinySpec(runtimes, 'x86_64'),
    ];
    const building = buildLayers({
      specs,
      outDir,
      fetchTarball: (source) =>
        source.integrity === specs[1]?.source.integrity
          ? good.fetchTarball(source)
          : fetchTarball(source),
    });
    await expect(building).rejects.toMatchObject({
      code: 'BuildFailed',
      message: expect.stringMatching(/^2 layers failed: .*no file LICENSE.*no file bin\/tiny/),
    });
    expect(readManifests([outDir]).map(({ inputs }) => inputs)).toEqual([specs[1]?.inputs]);
  });

  test('when the package is no tarball', async () => {
    const noise = randomBytes(1000);
    const { runtimes } = await fixtureRuntime(temporaryFolder(), {
      settings: {
        versions: { '1.0.0': { arm64: integrityOf(noise), x86_64: integrityOf(noise) } },
      },
    });
    const outDir = temporaryFolder();
    const fetchTarball = async () => noise;
    await expect(
      buildLayers({ specs: [tinySpec(runtimes)], outDir, fetchTarball }),
    ).rejects.toMatchObject({ code: 'UnreadablePackage' });
  });
});

describe('reading manifests', () => {
  test.each(['tiny-1_0_0-arm64-0123456789ab.cdx.json', 'package.json', 'package-lock.json'])(
    'leaves %s beside them alone',
    (name) => {
      const folder = temporaryFolder();
      writeFileSync(join(folder, name), '{}');
      expect(readManifests([folder])).toEqual([]);
    },
  );

  test.each([
    ['JSON that breaks off', '{"schemaVersion": 1,'],
    ['a manifest without its digest', '{"schemaVersion": 1}'],
  ])('fails for %s', (_, text) => {
    const file = join(temporaryFolder(), 'tiny-1_0_0-arm64-0123456789ab.json');
    writeFileSync(file, text);
    expect(() => readManifests([dirname(file)])).toThrow(
      expect.objectContaining({
        code: 'InvalidManifest',
        message: expect.stringContaining(file),
      }),
    );
  });
});

test('a file in the place of a folder of layers is named, with what to do', () => {
  const file = join(temporaryFolder(), 'layers');
  writeFileSync(file, '');
  for (const dir of [file, join(file, 'below')]) {
    expect(() => readManifests([dir])).toThrow(
      expect.objectContaining({
        code: 'NotAFolder',
        message: `${dir} has to be a folder, and it or what it lies in is a file; remove that file`,
      }),
    );
  }
});

function flipByte(file: string): void {
  const bytes = readFileSync(file);
  bytes[100] = (bytes[100] as number) ^ 1;
  writeFileSync(file, bytes);
}
