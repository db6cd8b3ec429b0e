import { lstat, readdir, readlink, stat } from 'node:fs/promises';
import { basename, join, relative, resolve, sep } from 'node:path';
import type { ZipEntry } from '../../../archive';
import { LayersError } from '../../../errors';
import { matchesAny } from '../glob';
import type { ArtifactSet } from './spec';

/**
 * Files of a build that go into an artifact, sorted by path. A location is a file or a pattern: one
 * asterisk stays within its folder, and a folder's name alone matches nothing. Symbolic links are
 * kept with `enable-symlinks: yes`; otherwise a link to a file is followed, and one to a folder is
 * left out.
 *
 * @see https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
 * @throws LayersError NoMatchingArtifacts, in CodeBuild's words
 */
export async function collectArtifact(sourceDir: string, set: ArtifactSet): Promise<ZipEntry[]> {
  const base = resolve(sourceDir, set['base-directory'] ?? '.');
  if (!(await isFolder(base))) {
    throw new LayersError(
      'NoMatchingArtifacts',
      `no matching base directory path found for ${set['base-directory']}; artifacts.base-directory must exist after the build`,
    );
  }
  const files = set.files.length > 0 ? set.files : ['**/*'];
  const patterns = files.map(normal);
  const excluded = set['exclude-paths'].map(normal);
  const entries: ZipEntry[] = [];
  for (const path of await listFiles(base)) {
    if (!matchesAny(path, patterns) || matchesAny(path, excluded)) continue;
    const entry = await zipEntry(base, path, set);
    if (entry) entries.push(entry);
  }
  if (entries.length === 0) {
    throw new LayersError(
      'NoMatchingArtifacts',
      `no matching artifact paths found for ${files.join(', ')} in ${set['base-directory'] ?? '.'}; artifacts.files must match a file that the build wrote (<folder>/**/* matches all below a folder)`,
    );
  }
  return entries;
}

async function zipEntry(
  base: string,
  path: string,
  set: ArtifactSet,
): Promise<ZipEntry | undefined> {
  const source = join(base, path);
  const name = set['discard-paths'] ? basename(path) : path;
  if (set['enable-symlinks'] && (await lstat(source)).isSymbolicLink()) {
    return { source, path: name, mode: 0o777, target: await readlink(source) };
  }
  const target = await stat(source);
  return target.isFile() ? { source, path: name, mode: target.mode } : undefined;
}

/** Everything below a folder that is no folder itself, with forward slashes. */
async function listFiles(base: string): Promise<string[]> {
  const found = await readdir(base, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => relative(base, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

function normal(pattern: string): string {
  return pattern.replace(/^\.\//, '').replace(/\/$/, '');
}
