import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadRuntimes } from '../../lib/layers/runtimes';
import { pinnedVersions } from '../../lib/layers/versions';
import { run } from '../../lib/rehearsal/tools/command';
import { PROJECT } from '../layers/fixtures';
import { temporaryFolder } from '../temporary-folder';

/** `npm test` has the newest of each runtime. */
const OLDER = loadRuntimes().flatMap((runtime) =>
  pinnedVersions(runtime)
    .slice(1)
    .map((version): [string, string] => [runtime.name, version]),
);

test.each(OLDER)(
  'the contract holds for %s %s',
  async (runtime, version) => {
    const results = join(temporaryFolder(), 'results.json');
    const jest = join(PROJECT, 'node_modules/jest/bin/jest.js');
    const said = await run(
      process.execPath,
      [jest, `test/runtimes/${runtime}.test.ts`, '--json', `--outputFile=${results}`],
      { cwd: PROJECT, env: { ...process.env, RUNTIME_VERSION: version } },
    );
    expect(said).toMatchObject({ status: 0 });
    const { numPassedTests, numTotalTests } = JSON.parse(readFileSync(results, 'utf8'));
    expect(numPassedTests).toBe(numTotalTests);
    expect(numTotalTests).toBeGreaterThan(50);
  },
  300_000,
);
