import { LayersError } from '../errors';

/**
 * glibc of the bases that a layer can declare. Amazon Linux 2 (2.26) is left out: neither Deno nor
 * Node.js loads there.
 */
export const GLIBC_LIMITS: Readonly<Record<string, string>> = { 'provided.al2023': '2.34' };

/**
 * Shared libraries that a program finds there: of glibc and of gcc's runtime, as in Amazon Linux's
 * minimal image. libatomic, which Node.js needs from 25 on, is not among them.
 */
export const BASE_LIBRARIES: readonly string[] = [
  'ld-linux-aarch64.so.1',
  'ld-linux-x86-64.so.2',
  'libc.so.6',
  'libdl.so.2',
  'libgcc_s.so.1',
  'libm.so.6',
  'libpthread.so.0',
  'libresolv.so.2',
  'librt.so.1',
  'libstdc++.so.6',
  'libutil.so.1',
];

/** Orders dotted numbers: negative when `a` is older than `b`. */
export function compareVersions(a: string, b: string): number {
  const left = a.split('.').map(Number);
  const right = b.split('.').map(Number);
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * Fails when a binary needs a newer glibc than one of the bases has.
 *
 * @throws LayersError `GlibcTooNew`
 */
export function assertGlibc(needed: string, compatibleRuntimes: readonly string[], what: string) {
  for (const base of compatibleRuntimes) {
    const limit = GLIBC_LIMITS[base];
    if (limit !== undefined && compareVersions(needed, limit) <= 0) continue;
    throw new LayersError(
      'GlibcTooNew',
      `${what} needs glibc ${needed}, but ${base} has ${limit ?? 'an unknown one'}; ` +
        'pin a version that was built on an older system',
    );
  }
}
