import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from '../../lib/rehearsal/session/report';
import {
  Checkout,
  mountsBelow,
  type RehearsalRun,
  readTargets,
  smallConfig,
  targetsOf,
  tracesOf,
} from '../e2e/support';

const MINUTES = 60_000;
const [OLD, NEW] = ['24.20.0', '24.21.0'];
const targets = targetsOf(smallConfig([OLD]));
const PUBLISHING = /Running command node tools\.cjs publish/;
const PUBLISHED = /Phase complete: BUILD/;

describe('Ctrl-C while zips are being published', () => {
  let checkout: Checkout;

  beforeAll(() => {
    checkout = Checkout.create();
  });

  afterAll(() => checkout?.dispose(), 2 * MINUTES);

  function start(versions: readonly string[], ...args: string[]): RehearsalRun {
    const file = checkout.write('delivery.json', smallConfig(versions));
    return checkout.start('--config', file, ...args);
  }

  /** Interrupts in the middle of the publish action, and makes sure that it was the middle. */
  async function interruptPublishing(run: RehearsalRun): Promise<Report> {
    const known = new Set(publishLogs(checkout));
    const log = await run.until(() =>
      publishLogs(checkout).find(
        (file) => !known.has(file) && PUBLISHING.test(readFileSync(file, 'utf8')),
      ),
    );
    run.interrupt();
    const { code, signal, report } = await run.reported();
    expect({ code, signal }).toEqual({ code: 130, signal: null });
    expect(readFileSync(log, 'utf8')).not.toMatch(PUBLISHED);
    expect(report).toMatchObject({ result: 'failed', problems: ['interrupted'] });
    return report;
  }

  test(
    'leaves no process, mount or temporary file behind',
    async () => {
      const run = start([OLD]);
      const interrupted = interruptPublishing(run);
      // Otherwise the search below could not find anything at all.
      await run.until(() => (tracesOf(checkout.temporary).length > 1 ? true : undefined));
      await interrupted;
      expect(tracesOf(checkout.dir)).toEqual([]);
      expect(mountsBelow(checkout.dir)).toEqual([]);
      expect(checkout.temporaryFiles()).toEqual([]);
      expect(existsSync(checkout.keptFile)).toBe(false);
    },
    5 * MINUTES,
  );

  test(
    'the next rehearsal releases to every target',
    async () => {
      const { code, report } = await start([OLD], '--keep').reported();
      expect({ code, problems: report.problems }).toEqual({ code: 0, problems: [] });
      for (const { layers } of await readTargets(checkout, targets)) {
        expect(Object.keys(layers)).toHaveLength(1);
      }
    },
    5 * MINUTES,
  );

  test(
    'ends the build, and leaves a kept cloud as it was',
    async () => {
      const before = await readTargets(checkout, targets);
      const { executions } = await interruptPublishing(start([OLD, NEW], '--keep'));
      expect(executions.at(-1)?.status).toBe('Stopped');
      expect(await readTargets(checkout, targets)).toEqual(before);
      expect(tracesOf(checkout.temporary).filter(({ command }) => isBuild(command))).toEqual([]);
    },
    6 * MINUTES,
  );

  test(
    'the next rehearsal on the kept cloud converges',
    async () => {
      const { code, report } = await start([OLD, NEW], '--keep').reported();
      expect({ code, problems: report.problems }).toEqual({ code: 0, problems: [] });
      for (const { layers } of await readTargets(checkout, targets)) {
        expect(Object.keys(layers)).toHaveLength(2);
      }
      expect(report.targets.map(({ published }) => published.length)).toEqual(targets.map(() => 1));
    },
    6 * MINUTES,
  );
});

describe('kill -9 while zips are being published', () => {
  let checkout: Checkout;

  beforeAll(() => {
    checkout = Checkout.create();
  });

  afterAll(() => checkout?.dispose(), 2 * MINUTES);

  test(
    'ends the local cloud and the build, and leaves one folder of its own',
    async () => {
      const file = checkout.write('delivery.json', smallConfig([NEW]));
      const run = checkout.start('--config', file);
      await run.until(() =>
        publishLogs(checkout).find((log) => PUBLISHING.test(readFileSync(log, 'utf8'))),
      );
      expect(tracesOf(checkout.dir).filter(({ command }) => isBuild(command))).not.toEqual([]);
      run.child.kill('SIGKILL');
      await run.ended;
      const deadline = Date.now() + MINUTES;
      while (tracesOf(checkout.dir).length > 0 && Date.now() < deadline) await sleep(200);
      expect(tracesOf(checkout.dir)).toEqual([]);
      expect(mountsBelow(checkout.dir)).toEqual([]);
      // The next rehearsal removes it once it is old: see test/rehearsal/scratch.test.ts.
      expect(checkout.temporaryFiles()).toEqual([expect.stringMatching(/^layers-rehearsal-/)]);
    },
    5 * MINUTES,
  );
});

/** Logs of every publish action so far. */
function publishLogs(checkout: Checkout): string[] {
  const folder = join(checkout.root, '.rehearsal/logs');
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(folder, name, 'Publish/Publish-zips.log'))
    .filter((file) => existsSync(file));
}

/** The kept cloud's own processes are the daemon, MiniStack and functions kept warm. */
function isBuild(command: string): boolean {
  return /\b(npm|tools\.cjs|bash)\b/.test(command);
}
