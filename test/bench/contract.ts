import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { NOT_ASKED } from '../runtimes/dialects';
import { type ClientRows, type JestReport, rowsOf } from './contract-table';
import { absentPeers, installFailure, installPeer, PEER, unpackedLayers } from './runtimes';

const ROOT = join(__dirname, '../..');
/** All waits of the contract are bounded; a run that takes longer is stuck itself. */
const LIMIT_MS = 15 * 60_000;

/**
 * Runs the contract against the layers' own clients and against others, one after the other.
 *
 * @param peers folders of other clients, by name
 */
export async function runContract(peers: ReadonlyMap<string, string>): Promise<ClientRows[]> {
  const folder = mkdtempSync(join(tmpdir(), 'contract-bench-'));
  try {
    const layers = await unpackedLayers(folder);
    const clients = new Map([...layers, ...peers]);
    const absent: ClientRows[] = absentPeers(peers);
    try {
      const [name] = PEER.split('@') as [string];
      clients.set(name, ricFolder(folder, join(layers.get('node') as string, 'bin/node')));
    } catch (error) {
      absent.push({ name: PEER, absent: installFailure(error) });
    }
    const results: ClientRows[] = [];
    for (const [name, client] of clients) results.push(await ask(name, client, folder));
    return [...results, ...absent];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A folder with the bootstrap that aws-lambda-ric leaves to its users. */
function ricFolder(folder: string, node: string): string {
  const peer = join(folder, 'aws-lambda-ric');
  mkdirSync(peer);
  const script = `#!/bin/sh\nexec '${node}' '${installPeer()}' "$_HANDLER"\n`;
  writeFileSync(join(peer, 'bootstrap'), script, { mode: 0o755 });
  return peer;
}

async function ask(name: string, client: string, folder: string): Promise<ClientRows> {
  const scratch = mkdtempSync(join(folder, 'scratch-'));
  const file = join(scratch, 'report.json');
  const jest = join(ROOT, 'node_modules/jest/bin/jest.js');
  const args = ['--config', join(ROOT, 'jest.contract.config.js'), '--json', '--outputFile', file];
  const child = spawn(process.execPath, [jest, ...args], {
    cwd: ROOT,
    stdio: 'ignore',
    timeout: LIMIT_MS,
    env: { ...process.env, CONTRACT_CLIENT: `${name}=${client}`, TMPDIR: scratch },
  });
  await once(child, 'exit');
  endProcessesIn(scratch);
  if (!existsSync(file)) return { name, absent: 'the run did not end' };
  const report = JSON.parse(readFileSync(file, 'utf8')) as JestReport;
  return { name, rows: rowsOf(report, NOT_ASKED[name] ?? {}) };
}

/** What the functions of a run left behind: they all work in its folder. */
function endProcessesIn(folder: string): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readlinkSync(`/proc/${pid}/cwd`).startsWith(folder + sep)) continue;
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended, or is somebody else's.
    }
  }
}
