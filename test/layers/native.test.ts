import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadRuntimes, RUNTIMES_ROOT } from '../../lib/layers/runtimes';
import { ARCHITECTURES } from '../../lib/release';
import { PROJECT } from './fixtures';

const COMMON = ['build', 'bootstrap.h', 'bootstrap.c'].map((name) =>
  join(PROJECT, 'assets/bootstrap', name),
);
const inNode = (name: string) => join(RUNTIMES_ROOT, 'node/lib', name);

/** What each program is made from, in the order of assets/bootstrap/build. */
const MADE: [string, (architecture: string) => string, string[]][] = [
  ...loadRuntimes().map(({ name, folder }): (typeof MADE)[number] => [
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
