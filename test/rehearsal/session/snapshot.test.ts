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

  test("is the same whatever the user's git shows or hides", async () => {
    commit();
    git('config', 'status.showUntrackedFiles', 'no');
    git('config', 'log.showSignature', 'true');
    git('config', 'i18n.logOutputEncoding', 'ISO-8859-1');
    const signer = join(dir, 'signer');
    const signature = '-----BEGIN PGP SIGNATURE-----\\n\\n-----END PGP SIGNATURE-----\\n';
    writeFileSync(
      signer,
      `#!/bin/sh\ncat >&2\nprintf '${signature}'\nprintf '\\n[GNUPG:] SIG_CREATED \\n' >&2\n`,
      { mode: 0o755 },
    );
    git('config', 'gpg.program', signer);
    git('commit', '--quiet', '--allow-empty', '--gpg-sign', '--message=Schlüssel');
    writeFileSync(join(root, 'new'), 'untracked');
    const snapshot = await takeSnapshot(options());
    expect(snapshot).toMatchObject({ message: 'Schlüssel', leftOut: true });
    expect(Date.parse(snapshot.authorDate)).not.toBeNaN();
    const { zipPath } = await takeSnapshot({ ...options(), includeWorkingTree: true });
    expect((await contentOf(zipPath))('new')).toBe('untracked');
  });

  test('may have an empty message', async () => {
    commit();
    git('commit', '--quiet', '--allow-empty', '--allow-empty-message', '--message=');
    expect(await takeSnapshot(options())).toMatchObject({ message: '' });
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
    const before = process.env;
    process.env = { ...before, LANGUAGE: 'de', LC_ALL: 'C.UTF-8' };
    try {
      await expect(takeSnapshot(options())).rejects.toMatchObject({ code: 'NoCommit' });
      git('init', '--quiet');
      await expect(takeSnapshot(options())).rejects.toMatchObject({
        code: 'NoCommit',
        message: expect.stringMatching(`^${root} has no git commit .*git commit`),
      });
    } finally {
      process.env = before;
    }
  });

  test("fails below somebody else's repository, which holds another tree", async () => {
    commit();
    const below = join(root, 'below');
    mkdirSync(below);
    writeFileSync(join(below, 'cdk.json'), '{"context":{"delivery":{"name":"below"}}}');
    const refused = { code: 'NoCommit', message: expect.stringContaining(below) };
    await expect(committedConfig(below, false)).rejects.toMatchObject(refused);
    git('add', '--all');
    git('commit', '--quiet', '--message=All');
    expect(await committedConfig(below, false)).toEqual({ name: 'below' });
    await expect(takeSnapshot({ ...options(), root: below })).rejects.toMatchObject(refused);
  });
});

describe('the configuration of a commit', () => {
  test('is the one in HEAD, or in the working tree where that is rehearsed', async () => {
    commit();
    writeFileSync(join(root, 'cdk.json'), '{"context":{"delivery":{"name":"edited"}}}');
    expect(await committedConfig(root, false)).toEqual({ name: 'own' });
    expect(await committedConfig(root, true)).toEqual({ name: 'edited' });
  });

  test('fails where cdk.json is missing or no JSON, in one sentence', async () => {
    commit();
    writeFileSync(join(root, 'cdk.json'), '{"context":{},}');
    const unreadable = (message: RegExp) => ({
      code: 'UnreadableConfiguration',
      message: expect.stringMatching(message),
    });
    await expect(committedConfig(root, true)).rejects.toMatchObject(
      unreadable(/^cdk\.json cannot be read: .*JSON.*; correct it$/),
    );
    git('commit', '--all', '--quiet', '--message=Broken');
    const committed = unreadable(
      /^the committed cdk\.json cannot be read: .*correct and commit it$/,
    );
    await expect(committedConfig(root, false)).rejects.toMatchObject(committed);
    await expect(takeSnapshot({ ...options(), config: {} })).rejects.toMatchObject(committed);
    rmSync(join(root, 'cdk.json'));
    await expect(committedConfig(root, true)).rejects.toMatchObject(unreadable(/ENOENT/));
  });
});
