import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { extractZip } from '../../lib/archive';
import { buildLayers, loadRuntimes, resolveLayers } from '../../lib/layers';
import { zipPath } from '../../lib/layers/manifests';

const ROOT = join(__dirname, '../..');
/** The client of Lambda's own Node.js runtime, as npm has it. */
export const PEER = 'aws-lambda-ric@4.0.2';
/** What is measured for an event of so many bytes: larger ones take longer. */
interface Size {
  /** Of an event. */
  readonly bytes: number;
  readonly invocations: number;
  readonly warmUp: number;
}
const SIZES: readonly Size[] = [
  { bytes: 1024, invocations: 20_000, warmUp: 3000 },
  { bytes: 100 * 1024, invocations: 1000, warmUp: 300 },
  { bytes: 1024 * 1024, invocations: 150, warmUp: 50 },
];
/** Starts of each client, of which the bench shows the quickest ones, too. */
export const STARTS = 30;
/** Clients that npm does not have; `--peer NAME=DIR` names a folder with a `bootstrap`. */
const OTHER_PEERS = ['bun-lambda', 'deno-lambda', 'lambci'];
/** Ticks of `/proc/<pid>/stat` a second, on every Linux that Node.js runs on. */
const TICKS = 100;
/** Both sides share a core, so that what one does is not hidden behind the other. */
const PINNED = ['taskset', '-c', String(cpus().length - 1)];

/** A client of the Runtime API that can be started. */
interface Client {
  readonly name: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether it does nothing but send its first request. */
  readonly bare?: boolean;
  /** Whether it is one that is there already, with its answers sent in another way. */
  readonly pipelining?: boolean;
  /** Whether it is not ours. */
  readonly peer?: boolean;
}

/** The least that an interpreter can do before its first request. */
const BARE: Readonly<
  Record<string, { readonly args: readonly string[]; readonly source: string }>
> = {
  bun: {
    args: ['run', '--no-install'],
    source: `const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
      const request = 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n';
      const socket = { open: (opened) => opened.write(request), data() {} };
      await Bun.connect({ hostname, port: Number(port), socket });`,
  },
  deno: {
    args: ['run', '-A', '--no-lock', '--no-config', '--no-npm', '--quiet', '--no-code-cache'],
    source: `const [hostname, port] = Deno.env.get('AWS_LAMBDA_RUNTIME_API').split(':');
      const request = 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n';
      const connection = await Deno.connect({ hostname, port: Number(port) });
      await connection.write(new TextEncoder().encode(request));
      await connection.read(new Uint8Array(65536));`,
  },
  node: {
    args: [],
    source: `const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
      const request = 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n';
      const socket = require('node:net').connect({ host, port: Number(port), noDelay: true });
      socket.on('connect', () => socket.write(request));`,
  },
};

/**
 * One run of a client, with the processes that it started. Absolute figures are not for comparison
 * with another machine.
 */
export interface Measurement {
  /** Invocations a second. */
  readonly rate: number;
  /** Processor time that the client took, microseconds an invocation. */
  readonly cpu: number;
  /** Resident memory at the end, MB. */
  readonly memory: number;
}

export interface ClientResult {
  readonly name: string;
  /** A measurement a round, by bytes of the event; the same round of two clients ran side by side. */
  readonly sizes?: ReadonlyMap<number, readonly Measurement[]>;
  /** From the start of its process to its first request, ms, a start each. */
  readonly starts?: readonly number[];
  /** Why there are none. */
  readonly absent?: string;
}

/**
 * Measures clients with an echo function, one client after the other in each round.
 *
 * @param peers folders of other clients, by name
 */
export async function measureRuntimes(
  runs: number,
  peers: ReadonlyMap<string, string> = new Map(),
): Promise<ClientResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'runtimes-bench-'));
  try {
    const api = join(folder, 'runtime-api');
    execFileSync('cc', ['-O2', '-w', '-o', api, join(__dirname, 'runtime-api.c')]);
    const task = join(folder, 'task');
    mkdirSync(task);
    writeFileSync(join(task, 'main.mjs'), 'export const handler = async (event) => event;\n');

    const layers = await unpackedLayers(folder);
    const clients: Client[] = [{ name: 'C, a raw socket', command: [api, 'echo'] }];
    const absent: ClientResult[] = absentPeers(peers);
    try {
      const peer = installPeer();
      const node = join(layers.get('node') as string, 'bin/node');
      clients.push({ name: PEER, command: [node, peer, 'main.handler'], peer: true });
    } catch (error) {
      absent.push({ name: PEER, absent: installFailure(error) });
    }
    for (const [name, peer] of peers) {
      clients.push({ name, command: [join(peer, 'bootstrap')], peer: true });
    }
    for (const [name, layer] of layers) {
      if (name in BARE) clients.push(bareClient(name, layer, folder));
      const command = [join(layer, 'bootstrap')];
      const environment = { DENO_DIR: join(folder, '.deno') };
      clients.push({ name, command, environment });
      const pipelined = { ...environment, RUNTIME_API_PIPELINING: '1' };
      clients.push({
        name: `${name}, pipelining`,
        command,
        environment: pipelined,
        pipelining: true,
      });
    }
    return [...(await measureAll(clients, runs, api, task)), ...absent];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureAll(
  clients: readonly Client[],
  runs: number,
  api: string,
  task: string,
): Promise<ClientResult[]> {
  const results = new Map(clients.map((client) => [client, new Map<number, Measurement[]>()]));
  const starts = new Map<Client, number[]>();
  const failed: ClientResult[] = [];
  const each = async (act: (client: Client) => Promise<void>) => {
    for (const client of [...results.keys()]) {
      try {
        await act(client);
      } catch (error) {
        // A peer that cannot do it shall not hide the others.
        if (!client.peer) throw error;
        results.delete(client);
        failed.push({ name: client.name, absent: (error as Error).message.split('\n')[0] });
      }
    }
  };
  for (const size of SIZES) {
    for (let run = 0; run < runs; run++) {
      await each(async (client) => {
        if (client.bare) return;
        const sizes = results.get(client) as Map<number, Measurement[]>;
        const measured = await measure(api, client, task, size);
        sizes.set(size.bytes, [...(sizes.get(size.bytes) ?? []), measured]);
      });
    }
  }
  for (let start = 0; start < STARTS; start++) {
    await each(async (client) => {
      if (client.pipelining) return;
      starts.set(client, [...(starts.get(client) ?? []), await measureStart(api, client, task)]);
    });
  }
  const measured = [...results].map(([client, sizes]) => {
    return { name: client.name, sizes, starts: starts.get(client) };
  });
  return [...measured, ...failed];
}

/** The newest layer of every runtime for this processor, unpacked below a folder, by runtime. */
export async function unpackedLayers(folder: string): Promise<Map<string, string>> {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'x86_64';
  const runtimes = loadRuntimes().map(({ name, versions }) => ({
    name,
    versions: Object.keys(versions).slice(0, 1),
    architectures: [architecture] as const,
  }));
  const outDir = join(ROOT, 'dist/layers');
  const layers = new Map<string, string>();
  for (const manifest of await buildLayers({ specs: resolveLayers({ runtimes }), outDir })) {
    const layer = join(folder, manifest.runtime);
    await extractZip(zipPath(manifest, outDir), layer);
    layers.set(manifest.runtime, layer);
  }
  return layers;
}

function bareClient(runtime: string, layer: string, folder: string): Client {
  const { args, source } = BARE[runtime] as (typeof BARE)[string];
  const file = join(folder, `bare-${runtime}.${runtime === 'node' ? 'cjs' : 'mjs'}`);
  writeFileSync(file, source);
  return {
    name: `${runtime} alone`,
    command: [join(layer, 'bin', runtime), ...args, file],
    environment: { DENO_DIR: join(folder, '.deno'), DENO_NO_UPDATE_CHECK: '1' },
    bare: true,
  };
}

/** The peers that no folder was given for, with how to give one. */
export function absentPeers(
  peers: ReadonlyMap<string, string>,
): { readonly name: string; readonly absent: string }[] {
  return OTHER_PEERS.filter((name) => !peers.has(name)).map((name) => ({
    name,
    absent: `give --peer ${name}=FOLDER`,
  }));
}

/** What npm said, in a line. */
export function installFailure(error: unknown): string {
  const { stderr, message } = error as Error & { readonly stderr?: Buffer };
  const said = `${stderr ?? ''}`.match(/^npm error (?!code|A complete log).+/gm) ?? [message];
  return said.slice(0, 2).join('; ');
}

/**
 * Its own install script builds the native add-on with cmake, which takes minutes: kept for later.
 *
 * @returns the file to start
 */
export function installPeer(): string {
  const cache = join(ROOT, 'dist/bench');
  const folder = join(cache, PEER);
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true });
    const partial = mkdtempSync(join(cache, '.peer-'));
    try {
      writeFileSync(join(partial, 'package.json'), '{"private":true}');
      // It runs on the layer's Node.js, not on the one that installs it.
      const anyNode = '--engine-strict=false';
      const flags = [
        '--ignore-scripts=false',
        anyNode,
        '--no-audit',
        '--no-fund',
        '--loglevel=error',
      ];
      execFileSync('npm', ['install', PEER, ...flags], { cwd: partial, stdio: 'pipe' });
      // npm may leave install scripts out without an error.
      readFileSync(join(partial, 'node_modules/aws-lambda-ric/rapid-client.node'));
      renameSync(partial, folder);
    } finally {
      rmSync(partial, { recursive: true, force: true });
    }
  }
  return join(folder, 'node_modules/aws-lambda-ric/index.mjs');
}

async function measure(
  api: string,
  client: Client,
  task: string,
  size: Size,
): Promise<Measurement> {
  return withStarted(api, client, task, size, async (pid, nextLine) => {
    await nextLine();
    await nextLine();
    const sum = (of: (pid: number) => number) =>
      processesFrom(pid).reduce((total, each) => total + of(each), 0);
    const before = sum(processorSeconds);
    const seconds = Number(await nextLine());
    return {
      rate: size.invocations / seconds,
      cpu: ((sum(processorSeconds) - before) / size.invocations) * 1e6,
      memory: sum(residentMegabytes),
    };
  });
}

/** From the start of a client to its first request, ms. */
async function measureStart(api: string, client: Client, task: string): Promise<number> {
  const nothing = { bytes: 1024, invocations: 1, warmUp: 0 };
  return withStarted(api, client, task, nothing, async (_, nextLine, startedAt) => {
    return (Number(await nextLine()) - startedAt()) * 1000;
  });
}

/**
 * Starts the server and a client, and ends both.
 *
 * @param act with the client's process id, what gives the server's next line, and what gives the time
 * when the client became a process (seconds)
 */
async function withStarted<T>(
  api: string,
  client: Client,
  task: string,
  { bytes, invocations, warmUp }: Size,
  act: (pid: number, nextLine: () => Promise<string>, startedAt: () => number) => Promise<T>,
): Promise<T> {
  const [first, ...args] = [...PINNED, api, 'serve', invocations, warmUp, bytes].map(String);
  const server = spawn(first as string, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  const port = (await lines.next()).value as string;
  const command = [...client.command, ...(client.command[1] === 'echo' ? [port] : [])];
  const [starter, ...started] = [...PINNED, api, 'start', ...command];
  const child = spawn(starter as string, started, {
    cwd: task,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}`,
      LAMBDA_TASK_ROOT: task,
      _HANDLER: 'main.handler',
      AWS_LAMBDA_FUNCTION_NAME: 'f',
      AWS_LAMBDA_FUNCTION_VERSION: '1',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
      AWS_LAMBDA_LOG_GROUP_NAME: 'g',
      AWS_LAMBDA_LOG_STREAM_NAME: 's',
      ...client.environment,
    },
  });
  let said = '';
  child.stderr?.on('data', (text) => {
    said += text;
  });
  let startedAt = '';
  child.stdio[3]?.on('data', (text) => {
    startedAt += text;
  });
  const ended = once(child, 'exit');
  const nextLine = async () => {
    const line = await Promise.race([
      lines.next().then(({ value }) => value as string),
      ended.then(([code]) => `ended with ${code}`),
    ]);
    if (line === 'warm' || Number(line) > 0) return line;
    throw new Error(`${client.name} did not get through: ${line}; ${said}`);
  };
  try {
    return await act(child.pid as number, nextLine, () => Number(startedAt));
  } finally {
    server.kill();
    for (const pid of processesFrom(child.pid as number)) process.kill(pid, 'SIGKILL');
    await ended;
  }
}

/** A process and all that it has started, the youngest first: a bootstrap may stay their parent. */
function processesFrom(pid: number): number[] {
  const children = readdirSync('/proc').filter((name) => {
    return /^\d+$/.test(name) && fieldsOf(Number(name))[1] === String(pid);
  });
  const alive = fieldsOf(pid).length > 0 ? [pid] : [];
  return [...children.flatMap((child) => processesFrom(Number(child))), ...alive];
}

/** What follows the name in `/proc/<pid>/stat`: state, parent, …; nothing of a process that is gone. */
function fieldsOf(pid: number): string[] {
  try {
    // The name in parentheses may hold blanks.
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

function processorSeconds(pid: number): number {
  const fields = fieldsOf(pid);
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

function residentMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}
