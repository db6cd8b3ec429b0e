import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { LayersError } from '../errors';
import type { Architecture } from '../release';
import { BASE_LIBRARIES, GLIBC_LIMITS } from './bases';
import {
  type ElfHeader,
  exportedSymbols,
  importedSymbols,
  neededLibraries,
  readOwnElf,
} from './elf';
import type { Runtime } from './runtimes';
import type { LayerSpec, TreeFile } from './specs';

/**
 * Shared libraries that a runtime's folder has for interpreters that need them, in its folder
 * `lib/<architecture>`. In a layer they lie apart from `lib`, where another layer may have a whole one
 * of the same name: Lambda's own LD_LIBRARY_PATH ends there, and bootstrap adds theirs after it.
 */
export function runtimeLibraries(runtime: Runtime, architecture: Architecture): TreeFile[] {
  const folder = heldIn(runtime, architecture);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^lib.+\.so/.test(name))
    .sort()
    .map((name) => {
      const content = readFileSync(join(folder, name));
      return { path: `${libraryFolder(runtime)}/${name}`, mode: 0o644, content };
    });
}

/** Folder of a runtime's libraries for an architecture. */
function heldIn({ folder }: Runtime, architecture: Architecture): string {
  return join(folder, 'lib', architecture);
}

/** Where a layer has what `runtimeLibraries` gives. */
export function libraryFolder({ name }: Pick<Runtime, 'name'>): string {
  return `lib/${name}`;
}

/**
 * The libraries that an interpreter needs and no base has; the machine that builds may have them.
 *
 * @param what names the interpreter in messages
 * @throws LayersError `LibraryMissing` for one that the runtime's folder does not have either, or that
 * lacks a function there; `NotElf` and `WrongArchitecture` for a wrong file in the folder
 */
export function librariesFor(
  interpreter: { readonly bytes: Buffer; readonly header: ElfHeader },
  { libraries, runtime, architecture }: LayerSpec,
  what: string,
): TreeFile[] {
  const { bytes, header } = interpreter;
  const missing = neededLibraries(bytes, header).filter((name) => !BASE_LIBRARIES.includes(name));
  const brought = libraries.filter(({ path }) => missing.includes(basename(path)));
  const unknown = missing.filter((name) => !brought.some(({ path }) => basename(path) === name));
  const folder = heldIn(runtime, architecture);
  if (unknown.length > 0) {
    throw new LayersError(
      'LibraryMissing',
      `${what} needs ${unknown.join(', ')}, which neither ${Object.keys(GLIBC_LIMITS).join(', ')} nor ` +
        `${folder} has; choose a version or a build that does without`,
    );
  }
  for (const { path, content } of brought) {
    const file = join(folder, basename(path));
    const offered = exportedSymbols(content, readOwnElf(content, architecture, file));
    const lacking = importedSymbols(bytes, header, basename(path)).filter(
      (symbol) => !offered.includes(symbol),
    );
    if (lacking.length === 0) continue;
    throw new LayersError(
      'LibraryMissing',
      `${what} needs ${lacking.join(', ')}, which ${file} does not have; choose another version`,
    );
  }
  return brought;
}
