import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig, targetsOf } from '../../../lib/config';
import { type Report, writeReport } from '../../../lib/rehearsal/session/report';

const PAGES = join(__dirname, '../../../docs');

const REPORT: Report = {
  schemaVersion: 1,
  result: 'failed',
  commit: 'abc',
  seconds: 1.5,
  parts: [],
  executions: [],
  layers: [],
  targets: [],
  faults: [],
  notRun: [],
  problems: ['a reason'],
};

describe('writing the report', () => {
  let dir: string;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'report-'));
  });

  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  test('makes the folder, and replaces an older report', () => {
    const file = join(dir, 'new/folder/report.json');
    writeReport(file, { ...REPORT, seconds: 0 });
    writeReport(file, REPORT);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(REPORT);
    expect(readdirSync(join(dir, 'new/folder'))).toEqual(['report.json']);
  });

  test('fails where the folder is a file', () => {
    writeFileSync(join(dir, 'file'), '');
    expect(() => writeReport(join(dir, 'file/report.json'), REPORT)).toThrow(/EEXIST|ENOTDIR/);
  });
});

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
