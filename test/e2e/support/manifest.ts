import { join } from 'node:path';
import type { LayerManifest } from '../../../lib/release';
import type { Checkout } from './checkout';
import { readJsonFile } from './output';

/** The manifest that the build wrote beside a layer's zip. */
export function readManifest(checkout: Checkout, layerName: string): LayerManifest {
  return readJsonFile(join(checkout.root, 'dist/layers', `${layerName}.json`));
}
