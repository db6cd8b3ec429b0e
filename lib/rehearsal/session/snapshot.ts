import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CONTEXT_KEY, parseJson, readJson } from '../../config';
import { LayersError } from '../../errors';

/** A commit, as the pipeline's source action hands it on. */
export interface Snapshot {
  /** Zip of the tree. */
  readonly zipPath: string;
  readonly commitId: string;
  readonly message: string;
  /** ISO 8601. */
  readonly authorDate: string;
  /** The working tree differs from HEAD, and the difference is not in the snapshot. */
  readonly leftOut: boolean;
}

export interface SnapshotOptions {
  /** Top folder of the git checkout. */
  readonly root: string;
  /** Existing folder for the zip and for git objects that the checkout shall not keep. */
  readonly dir: string;
  /** Uncommitted changes and new files too. */
  readonly includeWorkingTree: boolean;
  /** Replaces `context.delivery` in cdk.json. */
  readonly config?: unknown;
}

/**
 * Makes a zip of HEAD, or of a commit on top of it that holds the working tree or another
 * configuration. The checkout, its index and its objects stay as they are.
 *
 * @throws LayersError `NoCommit`, `GitFailed`
 */
export async function takeSnapshot(options: SnapshotOptions): Promise<Snapshot> {
  const git = await gitIn(options);
  const head = (await git(['rev-parse', '--verify', 'HEAD'])).trim();
  // What the user's git shows or hides elsewhere does not count here.
  const status = await git(['status', '--porcelain', '--untracked-files=normal']);
  const dirty = status.trim() !== '';
  await git(['read-tree', 'HEAD']);
  if (options.includeWorkingTree && dirty) await git(['add', '--all', '.']);
  if (options.config !== undefined) await replaceConfig(git, options.config);
  const tree = (await git(['write-tree'])).trim();
  const headTree = (await git(['rev-parse', 'HEAD^{tree}'])).trim();
  const commitId =
    tree === headTree
      ? head
      : (await git(['commit-tree', tree, '-p', head, '-m', describeChange(options)])).trim();
  const zipPath = join(options.dir, `${commitId}.zip`);
  await git(['archive', '--format=zip', '-1', '-o', zipPath, commitId]);
  const shown = ['--no-show-signature', '--encoding=UTF-8', '--format=%aI%n%s'];
  const [authorDate, message] = (await git(['log', '-1', ...shown, commitId])).split('\n');
  return {
    zipPath,
    commitId,
    message,
    authorDate,
    leftOut: dirty && !options.includeWorkingTree,
  };
}

/** cdk.json of HEAD, or of the working tree. */
export async function committedConfig(root: string, workingTree: boolean): Promise<unknown> {
  const cdkJson = workingTree
    ? readJson(join(root, 'cdk.json'), 'cdk.json', 'correct it')
    : parseCommitted((await runGit(root, ['show', 'HEAD:./cdk.json'], process.env)).stdout);
  return cdkJson.context?.[CONTEXT_KEY];
}

function parseCommitted(text: string) {
  return parseJson(() => text, 'the committed cdk.json', 'correct and commit it');
}

type Git = (args: string[], input?: string) => Promise<string>;

async function gitIn({ root, dir }: SnapshotOptions): Promise<Git> {
  const objects = join(dir, 'objects');
  mkdirSync(objects, { recursive: true });
  const { stdout } = await runGit(
    root,
    ['rev-parse', '--show-prefix', '--path-format=absolute', '--git-path', 'objects'],
    process.env,
  );
  const [prefix, kept] = stdout.split('\n');
  if (prefix !== '') throw noCommit(root);
  const env = {
    ...process.env,
    GIT_INDEX_FILE: join(dir, 'index'),
    GIT_OBJECT_DIRECTORY: objects,
    GIT_ALTERNATE_OBJECT_DIRECTORIES: kept,
    // Commits of a rehearsal name nobody.
    GIT_AUTHOR_NAME: 'rehearsal',
    GIT_AUTHOR_EMAIL: 'rehearsal@localhost',
    GIT_COMMITTER_NAME: 'rehearsal',
    GIT_COMMITTER_EMAIL: 'rehearsal@localhost',
  };
  // `status` compares with the checkout's own index and leaves it alone, the others work on a copy.
  const looking = { ...process.env, GIT_OPTIONAL_LOCKS: '0' };
  return async (args, input) =>
    (await runGit(root, args, args[0] === 'status' ? looking : env, input)).stdout;
}

async function replaceConfig(git: Git, config: unknown): Promise<void> {
  const cdkJson = parseCommitted(await git(['cat-file', '-p', ':cdk.json']));
  cdkJson.context = { ...cdkJson.context, [CONTEXT_KEY]: config };
  const text = `${JSON.stringify(cdkJson, null, 2)}\n`;
  const blob = (await git(['hash-object', '-w', '--stdin'], text)).trim();
  await git(['update-index', '--cacheinfo', `100644,${blob},cdk.json`]);
}

function describeChange({ includeWorkingTree, config }: SnapshotOptions): string {
  const parts = [
    ...(includeWorkingTree ? ['the working tree'] : []),
    ...(config === undefined ? [] : ['another configuration']),
  ];
  return `Rehearse ${parts.join(' and ')}`;
}

async function runGit(cwd: string, args: string[], env: NodeJS.ProcessEnv, input?: string) {
  try {
    const running = promisify(execFile)('git', args, {
      cwd,
      // Its messages are recognized below.
      env: { ...env, LC_ALL: 'C' },
      maxBuffer: 64 * 1024 * 1024,
    });
    if (input !== undefined) running.child.stdin?.end(input);
    return await running;
  } catch (cause) {
    const { code, stderr = '' } = cause as { code?: string; stderr?: string };
    if (code === 'ENOENT') {
      throw new LayersError('GitMissing', 'the program git is not installed: install it', {
        cause,
      });
    }
    if (
      /not a git repository|unknown revision|Needed a single revision|invalid object name|exists on disk, but not in/.test(
        stderr,
      )
    ) {
      throw noCommit(cwd, cause);
    }
    throw new LayersError('GitFailed', `git ${args[0]} failed: ${stderr.trim()}`, { cause });
  }
}

/** Of a folder that is no repository, or lies in somebody else's. */
function noCommit(cwd: string, cause?: unknown): LayersError {
  return new LayersError(
    'NoCommit',
    `${cwd} has no git commit to rehearse: run it in a clone, or commit first (git init && git add . && git commit)`,
    { cause },
  );
}
