import { control } from './control';
import type { CloudAddress } from './model';

/**
 * Keeps the state of every account under a name.
 *
 * @throws LayersError `ControlRefused` while a stack is being deployed
 */
export async function keepState(cloud: CloudAddress, name: string): Promise<void> {
  await control(cloud, 'keep', { name });
}

/**
 * Brings a kept state back, as often as one likes. Sessions that were issued since are no longer
 * valid.
 *
 * @throws LayersError `ControlRefused` where nothing is kept under the name, and while a stack is
 *   being deployed
 */
export async function restoreState(cloud: CloudAddress, name: string): Promise<void> {
  await control(cloud, 'restore', { name });
}
