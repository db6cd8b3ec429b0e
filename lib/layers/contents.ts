import { basename, dirname } from 'node:path';
import type { LayerManifest } from '../release';
import { bootstrapPath, ownProgram } from './bootstraps';
import { describeSource } from './download';
import { libraryFolder } from './libraries';
import type { Runtime } from './runtimes';
import { BOOTSTRAP_LICENSE_PATH, licensePath, OWN_LICENSE_PATH } from './specs';

/** Licence of what this project writes itself, `license` in package.json. */
const OWN_LICENSE = 'Apache-2.0';
/** Of what its programs are linked with. */
const LINKED_LICENSE = 'MIT';

/** A file of a layer, for whoever has to know what runs and under which terms. */
export interface LayerContent {
  readonly path: string;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
  /** The package or archive that it comes from, or the file or folder of this project. */
  readonly origin: string;
  /** SPDX expression. */
  readonly license: string;
}

/** What a layer carries, in the order of its manifest. */
export function layerContents(manifest: LayerManifest, runtime: Runtime): LayerContent[] {
  const source = describeSource(manifest.source);
  const folder = `assets/runtimes/${runtime.name}`;
  return manifest.files.map(({ path, bytes, sha256 }) => {
    const file = { path, bytes, sha256 };
    if (path === `bin/${runtime.binary.name}`) {
      return { ...file, origin: source, license: manifest.license };
    }
    if (path === licensePath(runtime)) {
      const { from, path: name } = runtime.licenseFile;
      const origin = from === 'package' ? source : `${folder}/${name}`;
      return { ...file, origin, license: manifest.license };
    }
    return { ...file, ...ownPart(path, manifest, runtime) };
  });
}

function ownPart(
  path: string,
  { architecture }: LayerManifest,
  runtime: Runtime,
): Pick<LayerContent, 'origin' | 'license'> {
  const folder = `assets/runtimes/${runtime.name}`;
  if (path === 'bootstrap') {
    const license = ownProgram(runtime) ? `${OWN_LICENSE} AND ${LINKED_LICENSE}` : OWN_LICENSE;
    return { origin: `${folder}/${bootstrapPath(runtime, architecture)}`, license };
  }
  if (path === BOOTSTRAP_LICENSE_PATH) {
    return { origin: 'assets/bootstrap/LICENSE', license: LINKED_LICENSE };
  }
  if (path === OWN_LICENSE_PATH) return { origin: 'LICENSE', license: OWN_LICENSE };
  const isLibrary = dirname(path) === libraryFolder(runtime);
  const origin = isLibrary
    ? `${folder}/lib/${architecture}/${basename(path)}`
    : `${folder}/${runtime.shim}, assets/runtime-api`;
  return { origin, license: OWN_LICENSE };
}
