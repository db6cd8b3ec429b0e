import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { extractZip } from '../../../lib/archive';
import { committedConfig, takeSnapshot } from '../../../lib/rehearsal/session/snapshot';

let dir: string;
let root: string;
let scratch: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'snapshot-'));
  root = join(dir, 'checkout');
  scratch = join(dir, 'scratch');
  mkdirSync(root);
  mkdirSync(scratch);
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

function git(...args: string[]): string {
  const identity = ['-c', 'user.name=tester', '-c', 'user.email=tester@localhost'];
  return execFileSync('git', [...identity, ...args], { cwd: root, encoding: 'utf8' }).trim();
}

/** A commit with a configuration, a file, and one that git ignores. */
function commit(): void {
  git('init', '--quiet');
  writeFileSync(join(root, '.gitignore'), 'ignored\n');
  writeFileSync(join(root, 'ignored'), 'never part of it');
  writeFileSync(join(root, 'file'), 'committed');
  writeFileSync(
    join(root, 'cdk.json'),
    JSON.stringify({ app: 'run', context: { delivery: { name: 'own' }, flag: true } }),
  );
  git('add', '--all');
  git('commit', '--quiet', '--message=A subject\n\nA body');
}

async function contentOf(zipPath: string): Promise<(name: string) => string | undefined> {
  const folder = join(dir, 'content');
  await extractZip(zipPath, folder);
  return (name) => {
    const file = join(folder, name);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  };
}

const options = () => ({ root, dir: scratch, includeWorkingTree: false });

describe('a snapshot', () => {
  test('is the commit, without what was changed since', async () => {
    commit();
    writeFileSync(join(root, 'file'), 'changed');
    writeFileSync(join(root, 'new'), 'untracked');
    // git would note the new time of an unchanged file there.
    utimesSync(join(root, 'cdk.json'), 0, 0);
    const index = readFileSync(join(root, '.git/index'));
    const snapshot = await takeSnapshot(options());
    expect(readFileSync(join(root, '.git/index')).equals(index)).toBe(true);
    expect(snapshot).toMatchObject({
      commitId: git('rev-parse', 'HEAD'),
      message: 'A subject',
      leftOut: true,
    });
    expect(Date.parse(snapshot.authorDate)).not.toBeNaN();
    const content = await contentOf(snapshot.zipPath);
    expect([content('file'), content('new'), content('ignored')]).toEqual([
      'committed',
      undefined,
      undefined,
    ]);
  });

  test('leaves nothing out where nothing was changed', async () => {
    commit();
    expect(await takeSnapshot(options())).toMatchObject({ leftOut: false });
  });

  test('holds the working tree where that is asked for, as a commit on top', async () => {
    commit();
    writeFileSync(join(root, 'file'), 'changed');
    writeFileSync(join(root, 'new'), 'untracked');
    const snapshot = await takeSnapshot({ ...options(), includeWorkingTree: true });
    expect(snapshot.commitId).not.toBe(git('rev-parse', 'HEAD'));
    expect(snapshot).toMatchObject({ message: 'Rehearse the working tree', leftOut: false });
    const content = await contentOf(snapshot.zipPath);
    expect([content('file'), content('new'), content('ignored')]).toEqual([
      'changed',
      'untracked',
      undefined,
    ]);
  });

  test('is HEAD itself where the working tree has nothing new', async () => {
    commit();
    const snapshot = await takeSnapshot({ ...options(), includeWorkingTree: true });
    expect(snapshot).toMatchObject({ commitId: git('rev-parse', 'HEAD'), leftOut: false });
  });

  test('carries another configuration, and the rest of cdk.json as it was', async () => {
    commit();
    const snapshot = await takeSnapshot({ ...options(), config: { name: 'other' } });
    expect(snapshot.message).toBe('Rehearse another configuration');
    const content = await contentOf(snapshot.zipPath);
    expect(JSON.parse(content('cdk.json') ?? '')).toEqual({
      app: 'run',
      context: { delivery: { name: 'other' }, flag: true },
    });
  });

  test('leaves the checkout, its index and its objects as they are', async () => {
    commit();
    writeFileSync(join(root, 'staged'), 'staged');
    git('add', 'staged');
    writeFileSync(join(root, 'file'), 'changed');
    const state = () => [git('status', '--porcelain'), git('count-objects', '-v'), git('reflog')];
    const before = state();
    await takeSnapshot({ ...options(), includeWorkingTree: true, config: { name: 'other' } });
    expect(state()).toEqual(before);
  });

  test('fails where there is no commit, naming the folder and the cure', async () => {
    await expect(takeSnapshot(options())).rejects.toMatchObject({ code: 'NoCommit' });
    git('init', '--quiet');
    await expect(takeSnapshot(options())).rejects.toMatchObject({
      code: 'NoCommit',
      message: expect.stringMatching(`^${root} has no git commit .*git commit`),
    });
  });
});

describe('the configuration of a commit', () => {
  test('is the one in HEAD, or in the working tree where that is rehearsed', async () => {
    commit();
    writeFileSync(join(root, 'cdk.json'), '{"context":{"delivery":{"name":"edited"}}}');
    expect(await committedConfig(root, false)).toEqual({ name: 'own' });
    expect(await committedConfig(root, true)).toEqual({ name: 'edited' });
  });
});
