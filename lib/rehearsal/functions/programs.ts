import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Architecture } from '../../release';

/** `e_machine` of an ELF header. */
const MACHINES: Record<number, Architecture> = { 62: 'x86_64', 183: 'arm64' };
const LIBRARY = /\.(so|node)(\.[\d.]+)?$/;

export interface ForeignProgram {
  /** Path as the function would see it, `/opt/bin/node`. */
  readonly path: string;
  readonly architecture: Architecture;
}

/**
 * The first executable that was built for another processor than the function's. This machine
 * might run it where Lambda says `exec format error`, so the file itself must be looked at.
 *
 * @param roots folders by the path at which the function sees them
 */
export async function findForeignProgram(
  roots: readonly (readonly [seenAt: string, folder: string])[],
  architecture: Architecture,
): Promise<ForeignProgram | undefined> {
  for (const [seenAt, folder] of roots) {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || LIBRARY.test(entry.name)) continue;
      const path = join(entry.parentPath, entry.name);
      const built = await programArchitecture(path);
      if (built && built !== architecture) {
        return { path: join(seenAt, path.slice(folder.length)), architecture: built };
      }
    }
  }
  return undefined;
}

async function programArchitecture(path: string): Promise<Architecture | undefined> {
  const file = await open(path);
  try {
    if (((await file.stat()).mode & 0o111) === 0) return undefined;
    const header = Buffer.alloc(20);
    const { bytesRead } = await file.read(header, 0, header.length, 0);
    if (bytesRead < header.length || header.readUInt32BE(0) !== 0x7f454c46) return undefined;
    return MACHINES[header.readUInt16LE(18)];
  } finally {
    await file.close();
  }
}
