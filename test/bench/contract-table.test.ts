import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../docs/blocks';
import { NOT_ASKED } from '../runtimes/dialects';
import { contractTable, type JestReport, reasonsOf, rowsOf } from './contract-table';

const report = (...results: [title: string, status: string, message?: string][]): JestReport => ({
  testResults: [
    {
      assertionResults: results.map(([title, status, message]) => ({
        title,
        status,
        failureMessages: message ? [message] : [],
      })),
    },
  ],
});

describe('the rows of a client', () => {
  const failure = 'Error: \u001b[2mexpect(received)\u001b[22m\n\nExpected: 1\nReceived: 2\n at x';

  test('hold, do not for a reason, or were not asked for one', () => {
    const jest = report(['a', 'passed'], ['b', 'failed', failure], ['c', 'pending']);
    expect([...rowsOf(jest, { c: 'has none' })]).toEqual([
      ['a', { sign: '✓' }],
      ['b', { sign: '✗', reason: 'Expected: 1, Received: 2' }],
      ['c', { sign: '–', reason: 'has none' }],
    ]);
  });

  test('are no guess: fails for a row that was left out, and where nothing ran', () => {
    expect(() => rowsOf(report(['c', 'pending']), {})).toThrow('"c" was not asked');
    const broken = { testResults: [{ message: 'syntax error', assertionResults: [] }] };
    expect(() => rowsOf(broken, {})).toThrow('nothing was asked: syntax error');
  });

  test('stand beside those of others, without what is absent', () => {
    const clients = [
      { name: 'one', rows: rowsOf(report(['a', 'passed'], ['b', 'failed', 'Error: no']), {}) },
      { name: 'two', rows: rowsOf(report(['a', 'failed', 'Error: no'], ['b', 'passed']), {}) },
      { name: 'three', absent: 'not there' },
    ];
    expect(contractTable(clients)).toEqual({
      head: ['row', 'one', 'two'],
      rows: [
        ['a', '✓', '✗'],
        ['b', '✗', '✓'],
      ],
    });
    expect(clients.map(reasonsOf)).toEqual([['one ✗ Error: no: b'], ['two ✗ Error: no: a'], []]);
  });
});

describe('docs/runtimes.md', () => {
  const page = readFileSync(join(ROOT, 'docs/runtimes.md'), 'utf8');
  const folder = join(ROOT, 'test/runtimes/common');
  const source = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
  const titles = [...source.join('\n').matchAll(/\brow\(\s*(["'])(.*?)\1,/g)].map(
    ([, , title]) => title,
  );

  test('has every row of the common contract, in both of its tables', () => {
    expect(titles.length).toBeGreaterThan(40);
    const tables = page.split('### Their peers');
    expect(tables).toHaveLength(2);
    for (const table of tables) {
      for (const title of titles) expect(table).toContain(`| ${title} |`);
    }
  });

  test('knows the rows that are not asked', () => {
    const rows = Object.values(NOT_ASKED).flatMap((reasons) => Object.keys(reasons));
    for (const row of rows) expect(titles).toContain(row);
  });
});
