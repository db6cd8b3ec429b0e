import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import type { EngineEvent } from '../../../lib/rehearsal/engine';
import { arnTable, Display } from '../../../lib/rehearsal/session/display';
import type { Report } from '../../../lib/rehearsal/session/report';
import { arnIn, released } from './fixture';

let dir: string;
let out: PassThrough;
let display: Display;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'display-'));
  out = new PassThrough();
  display = new Display(out as unknown as NodeJS.WriteStream, dir);
});

afterEach(() => {
  display.close();
  rmSync(dir, { recursive: true, force: true });
});

function shown(): string[] {
  return stripVTControlCharacters(String(out.read() ?? ''))
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd());
}

let sequence = 0;
function event(fields: Partial<EngineEvent>): EngineEvent {
  return {
    sequence: ++sequence,
    time: '2026-01-01T00:00:00Z',
    type: 'action',
    pipeline: { account: '111111111111', region: 'us-east-1', name: 'layers' },
    executionId: 'one',
    stage: 'Build',
    action: 'Synth',
    status: 'Succeeded',
    seconds: 1.25,
    ...fields,
  };
}

describe('what the rehearsal shows', () => {
  test('an execution with its trigger, each stage once, each action with its seconds', () => {
    const trigger = { type: 'Push', detail: '' } as const;
    const start = { type: 'execution', status: 'InProgress', stage: undefined, trigger } as const;
    display.event(event(start));
    display.event(event({ action: 'Build-arm64', status: 'InProgress' }));
    display.event(event({ action: 'Build-arm64', seconds: 12.34 }));
    display.event(event({ action: 'Synth' }));
    display.event(event({ stage: 'Publish', action: 'Publish-zips', status: 'Abandoned' }));
    display.event(event({ type: 'execution', status: 'Cancelled', message: 'updated' }));
    expect(shown()).toEqual([
      '',
      'pipeline execution one (Push)',
      'Build',
      expect.stringMatching(/^ {2}ok {5}Build-arm64 +12\.3 s$/),
      expect.stringMatching(/^ {2}ok {5}Synth +1\.3 s$/),
      'Publish',
      expect.stringMatching(/^ {2}Abando Publish-zips +1\.3 s$/),
      'Cancel execution cancelled: updated',
    ]);
  });

  test('of an action that failed its reason, the tail of its log, and where the whole lies', () => {
    const log = join(dir, 'logs/Synth.log');
    rmSync(join(dir, 'logs'), { recursive: true, force: true });
    display.event(event({ status: 'Failed', message: 'first\nsecond', log }));
    expect(shown().slice(2)).toEqual(['    first', '    second', '    whole log: logs/Synth.log']);

    const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`);
    const written = join(dir, 'Synth.log');
    writeFileSync(written, `${lines.join('\n')}\n`);
    display.event(event({ status: 'Failed', message: 'why', log: written }));
    expect(shown().slice(1)).toEqual([
      '    why',
      ...lines.slice(-15).map((line) => `    | ${line}`),
      '    whole log: Synth.log',
    ]);
  });

  test('a part of its own, also when it fails', async () => {
    expect(await display.part('tools', async () => 7)).toBe(7);
    const failing = display.part('bootstrap', async () => {
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(shown()).toEqual([
      expect.stringMatching(/^ok {5}tools +\d\.\d s$/),
      expect.stringMatching(/^FAILED bootstrap +\d\.\d s$/),
    ]);
  });
});

describe('the table of ARNs', () => {
  test('has every pointer of every target, and no record of a release', () => {
    const targets = [released('us-east-1'), released('eu-west-1')];
    const table = stripVTControlCharacters(arnTable({ targets } as unknown as Report, '/layers'));
    const rows = table.split('\n').filter((line) => /\d{12}/.test(line));
    expect(
      rows.map((row) =>
        row
          .split('│')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      ),
    ).toEqual(
      ['us-east-1', 'eu-west-1'].map((region) => [
        '222222222222',
        region,
        'deno/arm64',
        '2, 2.9.5, latest',
        arnIn(region),
      ]),
    );
  });
});
