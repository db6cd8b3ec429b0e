import type { WaveConfig } from './schema';

/** An account and a region that a wave delivers to. */
export interface Place {
  /** 12 digits. */
  readonly account: string;
  readonly region: string;
}

/** Every target of a wave, paused ones too: all its accounts in all its regions. */
export function targetsOf({ accounts, regions }: WaveConfig): Place[] {
  return accounts.flatMap((account) => regions.map((region) => ({ account, region })));
}

/** The entry that pauses a target of a wave; undefined where none does. */
export function pauseOf({ paused }: WaveConfig, target: Place) {
  return paused.find(
    ({ account, region }) =>
      region === target.region && (account ?? target.account) === target.account,
  );
}
