import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownProgram } from '../../lib/layers/bootstraps';
import { loadRuntimes, RUNTIMES_ROOT } from '../../lib/layers/runtimes';
import { ARCHITECTURES } from '../../lib/release';
import { temporaryFolder } from '../temporary-folder';
import { HOST, PROJECT } from './fixtures';

const COMMON = ['build', 'bootstrap.h', 'bootstrap.c'].map((name) =>
  join(PROJECT, 'assets/bootstrap', name),
);
const inNode = (name: string) => join(RUNTIMES_ROOT, 'node/lib', name);

/** What each program is made from, in the order of assets/bootstrap/build. */
const MADE: [string, (architecture: string) => string, string[]][] = [
  ...loadRuntimes()
    .filter(ownProgram)
    .map(({ name, folder }): (typeof MADE)[number] => [
      `bootstrap of ${name}`,
      (architecture) => join(folder, 'bin', architecture, 'bootstrap'),
      [...COMMON, join(folder, 'bootstrap.c')],
    ]),
  [
    'libatomic',
    (architecture) => inNode(`${architecture}/libatomic.so.1`),
    [COMMON[0], inNode('libatomic.map'), inNode('libatomic.c')],
  ],
];

/** That the sources give just these bytes is in test/long/native.test.ts, which needs the compiler. */
test.each(MADE)('%s is made from its sources as they are', (_, program, sources) => {
  const hash = createHash('sha256');
  for (const source of sources) hash.update(readFileSync(source));
  const digest = hash.digest('hex');
  for (const architecture of ARCHITECTURES) {
    expect(readFileSync(program(architecture)).includes(digest)).toBe(true);
  }
});

describe.each(
  loadRuntimes()
    .filter(ownProgram)
    .map(({ name, folder }) => [name, folder]),
)('the bootstrap of %s', (name, folder) => {
  /** A layer whose interpreter is a script. */
  function layerWith(interpreter: string): string {
    const layer = temporaryFolder();
    mkdirSync(join(layer, 'bin'));
    copyFileSync(join(folder, 'bin', HOST, 'bootstrap'), join(layer, 'bootstrap'));
    writeFileSync(join(layer, 'bin', name), interpreter, { mode: 0o755 });
    return layer;
  }

  test.each(['', 'bootstrap', './elsewhere/bootstrap'].map((argv0) => [argv0]))(
    'finds its layer when it is called %j, and says where it runs',
    (argv0) => {
      const layer = layerWith('#!/bin/sh\nenv; echo "$0"\n');
      // Without a folder in it, the name says nothing; with one it is believed, as by a shell.
      const cwd = argv0.startsWith('.') ? layer : temporaryFolder();
      if (argv0.startsWith('.')) symlinkSync('.', join(layer, 'elsewhere'));
      const { stdout } = spawnSync(join(layer, 'bootstrap'), [], {
        argv0,
        cwd,
        env: { PATH: '/usr/bin:/bin' },
        encoding: 'utf8',
      });
      expect(stdout).toMatch(new RegExp(`/bin/${name}\n$`));
      expect(stdout.split('\n')).toContain(`PWD=${cwd}`);
    },
  );

  test('says what is missing of an interpreter that is there', () => {
    const layer = layerWith('#!/nowhere/sh\n');
    const { status, stderr } = spawnSync(join(layer, 'bootstrap'), { encoding: 'utf8' });
    expect(stderr).toBe(
      `bootstrap: ${layer}/bin/${name} cannot be started: what its first line or header names is not there\n`,
    );
    expect(status).toBe(127);
  });
});
