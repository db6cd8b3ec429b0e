import type { Tools } from '../tools';

/** Credentials, endpoint and trust of one account in one region, for child processes. */
export type CloudEnvironment = Record<string, string>;

/** Where a local cloud is reached. */
export interface CloudAddress {
  /** `https://localhost:<port>`. */
  readonly endpoint: string;
  /** PEM file with its certificate. */
  readonly caFile: string;
}

export interface LocalCloudOptions {
  readonly tools: Tools;
  /** Folder for the log, certificates and everything that MiniStack writes; made if missing. */
  readonly stateDir: string;
  /** Base URL of the hooks, see `lib/rehearsal/hooks.ts`. */
  readonly hooksUrl: string;
  /**
   * Keep running after this process has ended, however it ends.
   * @default false
   */
  readonly outliveStarter?: boolean;
}
