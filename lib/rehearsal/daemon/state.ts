import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LayersError } from '../../errors';

/** What a running local cloud tells of itself. */
export interface CloudState {
  /** Process that owns everything; SIGTERM ends it all. */
  readonly pid: number;
  /** Its temporary folder, removed when it ends. */
  readonly stateDir: string;
  /** CodePipeline API and rehearsal paths, `http://127.0.0.1:<port>`. */
  readonly engineUrl: string;
  /** Every other AWS API, `https://localhost:<port>`. */
  readonly endpoint: string;
  /** Certificate to trust for `endpoint`. */
  readonly caFile: string;
  /** One line of JSON an invocation, see `Invocation`. */
  readonly invocationsFile: string;
  /** Path of the AWS CLI that the rehearsal uses. */
  readonly awsBin: string;
}

/** One function call that the local cloud was asked for. */
export interface Invocation {
  readonly functionArn: string;
  readonly how: 'native' | 'emulated' | 'not-run';
  readonly isolation: 'namespace' | 'none';
  readonly milliseconds: number;
  readonly notRun?: { readonly what: string; readonly why: string; readonly cure: string };
}

/** File, below the checkout, that names the local cloud which `--keep` left running. */
export const KEPT_FILE = join('.rehearsal', 'kept.json');

export function writeState(file: string, state: CloudState): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(state, null, 2)}\n`);
  renameSync(`${file}.${process.pid}`, file);
}

/**
 * The kept local cloud, if it still runs; what outlived its process is removed.
 *
 * @throws LayersError `InvalidKeptCloud`
 */
export function readKept(root: string): CloudState | undefined {
  const file = join(root, KEPT_FILE);
  let state: CloudState;
  try {
    state = JSON.parse(readFileSync(file, 'utf8'));
    if (!Number.isInteger(state.pid) || typeof state.stateDir !== 'string') throw state;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new LayersError(
      'InvalidKeptCloud',
      `${file} does not tell of a local cloud; delete it, and end what it told of where that still runs: pkill -f local-cloud`,
      { cause },
    );
  }
  if (isLocalCloud(state)) return state;
  rmSync(state.stateDir, { recursive: true, force: true, maxRetries: 5 });
  rmSync(file, { force: true });
  return undefined;
}

/** The process that the state names; after a restart of the machine another one may have its id. */
function isLocalCloud({ pid, stateDir }: CloudState): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(stateDir);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOENT', 'ESRCH'].includes(code)) return false;
    throw error;
  }
}

export function readInvocations(file: string): Invocation[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
