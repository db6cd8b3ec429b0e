import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Report, writeReport } from '../../../lib/rehearsal/session/report';

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
