import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { LayersError, reasonOf } from '../errors';
import { entriesOf } from '../folder';
import { sha256OfFile } from '../hash';
import { type LayerManifest, parseLayerName } from '../release';
import { writeJson } from '../write';
import type { LayerSpec } from './specs';

const hex = z.string().regex(/^[0-9a-f]{64}$/, { error: 'is not a SHA-256 in hex' });
const size = z.int().nonnegative();

const schema = z.strictObject({
  schemaVersion: z.literal(1),
  runtime: z.string().min(1),
  version: z.string().min(1),
  architecture: z.enum(['arm64', 'x86_64']),
  name: z.string().min(1),
  digest: hex,
  codeSha256: z.string().regex(/^[A-Za-z0-9+/]{43}=$/, { error: 'is not a SHA-256 in base64' }),
  zipBytes: size,
  unzippedBytes: size,
  license: z.string().min(1),
  description: z.string(),
  compatibleRuntimes: z.array(z.string()),
  source: z.union([
    z.strictObject({ package: z.string(), version: z.string(), integrity: z.string() }),
    z.strictObject({
      url: z.string(),
      version: z.string(),
      integrity: z.string(),
      checksums: z.strictObject({ url: z.string(), sha256: hex }),
    }),
  ]),
  glibc: z.string(),
  files: z.array(z.strictObject({ path: z.string(), mode: z.int(), bytes: size, sha256: hex })),
  inputs: hex,
});

/**
 * Every layer manifest in the folders, sorted by name; a folder that does not exist holds none.
 * The same layer in several folders appears once.
 *
 * @throws LayersError `InvalidManifest`, `NotAFolder`
 */
export function readManifests(dirs: readonly string[]): LayerManifest[] {
  const manifests = new Map<string, LayerManifest>();
  for (const dir of dirs) {
    // A person may build into a folder that has other things: package.json, bills of materials.
    for (const { name } of entriesOf(dir).filter((entry) => isManifest(entry.name))) {
      const manifest = readManifest(join(dir, name));
      if (!manifests.has(manifest.name)) manifests.set(manifest.name, manifest);
    }
  }
  return [...manifests.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function isManifest(file: string): boolean {
  return file.endsWith('.json') && parseLayerName(file.slice(0, -'.json'.length)) !== undefined;
}

/** The manifest of exactly this layer, found by the fingerprint of what it is built from. */
export function findManifest(
  spec: Pick<LayerSpec, 'inputs'>,
  dirs: readonly string[],
): LayerManifest | undefined {
  return readManifests(dirs).find((manifest) => manifest.inputs === spec.inputs);
}

/** Writes a manifest beside its zip, or alone into another folder. */
export function writeManifest(manifest: LayerManifest, dir: string): Promise<void> {
  return writeJson(join(dir, `${manifest.name}.json`), manifest);
}

/** Whether the zip beside a manifest is the one that the manifest describes. */
export async function zipIsIntact(manifest: LayerManifest, dir: string): Promise<boolean> {
  const file = zipPath(manifest, dir);
  if (!existsSync(file) || statSync(file).size !== manifest.zipBytes) return false;
  return (await sha256OfFile(file, 'base64')) === manifest.codeSha256;
}

export function zipPath(manifest: Pick<LayerManifest, 'name'>, dir: string): string {
  return join(dir, `${manifest.name}.zip`);
}

function readManifest(file: string): LayerManifest {
  const parsed = schema.safeParse(readJson(file));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(
    (issue) => `${issue.path.map(String).join('.') || 'file'}: ${issue.message}`,
  );
  throw invalid(file, faults.join('; '));
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw invalid(file, reasonOf(cause), cause);
  }
}

function invalid(file: string, faults: string, cause?: unknown): LayersError {
  return new LayersError(
    'InvalidManifest',
    `${file} is not a layer manifest: ${faults}; delete it and build again`,
    { cause },
  );
}
