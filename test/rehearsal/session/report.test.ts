import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseConfig, targetsOf } from '../../../lib/config';
import type { Report } from '../../../lib/rehearsal/session/report';

const PAGES = join(__dirname, '../../../docs');

describe('the example of a whole report', () => {
  const example: Report = JSON.parse(
    readFileSync(join(PAGES, 'examples/three-accounts-report.json'), 'utf8'),
  );

  test('is of the configuration beside it, and of a rehearsal that succeeded', () => {
    const config = parseConfig(
      JSON.parse(readFileSync(join(PAGES, 'examples/three-accounts.json'), 'utf8')),
    );
    expect(example).toMatchObject({ schemaVersion: 1, result: 'succeeded', problems: [] });
    expect(example.targets.map(({ account, region, wave }) => ({ account, region, wave }))).toEqual(
      config.waves.flatMap((wave) =>
        targetsOf(wave).map((place) => ({ ...place, wave: wave.name })),
      ),
    );
  });

  test('has fields that the page describes, and no path of a machine', () => {
    const page = readFileSync(join(PAGES, 'report.md'), 'utf8');
    const fields = new Set<string>();
    JSON.stringify(example, (key, value) => {
      if (key && !/^\d+$/.test(key) && !key.startsWith('/')) fields.add(key);
      return value;
    });
    const isDescribed = (field: string) => new RegExp(`\\b${field}(\\[\\]|\`)`).test(page);
    expect([...fields].filter((field) => !isDescribed(field))).toEqual([]);
    const logs = example.executions.flatMap(({ stages }) =>
      stages.flatMap(({ actions }) => actions.map(({ log }) => log)),
    );
    expect(logs.length).toBeGreaterThan(0);
    expect(logs.filter((log) => !log?.startsWith('/home/you/'))).toEqual([]);
  });
});
