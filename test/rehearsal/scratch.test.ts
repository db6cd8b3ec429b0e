import fs, { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { giveScratch, makeScratch, scratchFolder } from '../../lib/rehearsal/scratch';

describe('scratch folder', () => {
  const before = process.env.TMPDIR;
  let parent: string;

  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'scratch-test-'));
    process.env.TMPDIR = parent;
  });

  afterEach(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    rmSync(parent, { recursive: true });
  });

  /** A folder as a rehearsal or its local cloud leaves it. */
  function left(pid: number, hours: number): string {
    const folder = makeScratch();
    mkdirSync(join(folder, 'deep'));
    giveScratch(folder, pid);
    const time = Date.now() / 1000 - hours * 3600;
    utimesSync(folder, time, time);
    return folder;
  }

  test('lies where TMPDIR says', () => {
    expect(dirname(makeScratch())).toBe(parent);
  });

  describe('without TMPDIR', () => {
    /** As if memory had so much room and let programs run. */
    function machine(gibibytes: number): void {
      const bavail = gibibytes * 1024 ** 3;
      const files: Record<string, string> = {
        '/proc/meminfo': `MemAvailable: ${gibibytes * 1024 ** 2} kB\n`,
        '/proc/mounts': 'shm /dev/shm tmpfs rw,nosuid,nodev 0 0\n',
      };
      jest.spyOn(fs, 'accessSync').mockReturnValue();
      jest.spyOn(fs, 'statfsSync').mockReturnValue({ bavail, bsize: 1 } as fs.StatsFs);
      jest.spyOn(fs, 'readFileSync').mockImplementation((path) => files[String(path)] as string);
    }

    beforeEach(() => {
      delete process.env.TMPDIR;
    });

    afterEach(() => jest.restoreAllMocks());

    test('is memory where that has room', () => {
      machine(7);
      expect(scratchFolder()).toBe('/dev/shm');
    });

    test('is the temporary folder of the system elsewhere', () => {
      machine(5);
      expect(scratchFolder()).toBe(tmpdir());
      expect(tmpdir()).not.toBe(parent);
    });
  });

  test('of a rehearsal that was killed long ago is removed by the next', () => {
    const [dead, fresh, running] = [left(2 ** 30, 7), left(2 ** 30 + 1, 5), left(process.pid, 7)];
    makeScratch();
    expect([dead, fresh, running].map((folder) => existsSync(folder))).toEqual([false, true, true]);
  });
});
