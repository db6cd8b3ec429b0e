import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { extractZip } from '../../lib/archive';
import { buildLayers, loadRuntimes, resolveLayers } from '../../lib/layers';
import { zipPath } from '../../lib/layers/manifests';

const ROOT = join(__dirname, '../..');
const PEER = 'aws-lambda-ric@4.0.2';
const INVOCATIONS = 5000;
const WARM_UP = 2000;
/** Both sides share this core, so that what one does is not hidden behind the other. */
const PINNED = ['taskset', '-c', '0'];

/** A client of the Runtime API that can be started. */
interface Client {
  readonly name: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export interface ClientRate {
  readonly name: string;
  /** Invocations a second, the median; not for comparison with another machine. */
  readonly rate?: number;
  /** Why there is no rate. */
  readonly absent?: string;
}

/**
 * Invocations of an echo function a second, one client after the other in each round.
 *
 * @param bytes of the event
 */
export async function measureRuntimes(runs: number, bytes = 1024): Promise<ClientRate[]> {
  const folder = mkdtempSync(join(tmpdir(), 'runtimes-bench-'));
  try {
    const api = join(folder, 'runtime-api');
    execFileSync('cc', ['-O2', '-w', '-o', api, join(__dirname, 'runtime-api.c')]);
    const task = join(folder, 'task');
    mkdirSync(task);
    writeFileSync(join(task, 'main.mjs'), 'export const handler = async (event) => event;\n');

    const layers = await unpackedLayers(folder);
    const clients: Client[] = [{ name: 'C, a raw socket', command: [api, 'echo'] }];
    const absent: ClientRate[] = [];
    try {
      const peer = installPeer();
      const node = join(layers.get('node') as string, 'bin/node');
      clients.push({ name: PEER, command: [node, peer, 'main.handler'] });
    } catch (error) {
      absent.push({ name: PEER, absent: (error as Error).message.split('\n')[0] });
    }
    for (const [name, layer] of layers) {
      const command = [join(layer, 'bootstrap')];
      const environment = { DENO_DIR: join(folder, '.deno') };
      clients.push({ name, command, environment });
      const pipelined = { ...environment, RUNTIME_API_PIPELINING: '1' };
      clients.push({ name: `${name}, pipelining`, command, environment: pipelined });
    }

    const rates = new Map<Client, number[]>(clients.map((client) => [client, []]));
    for (let run = 0; run < runs; run++) {
      for (const [client, list] of rates) list.push(await measure(api, client, task, bytes));
    }
    const measured = [...rates].map(([{ name }, list]) => ({ name, rate: median(list) }));
    return [...measured, ...absent];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function unpackedLayers(folder: string): Promise<Map<string, string>> {
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

/** Its own install script builds the native add-on with cmake, which takes minutes: kept for later. */
function installPeer(): string {
  const cache = join(ROOT, 'dist/bench');
  const folder = join(cache, PEER);
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true });
    const partial = mkdtempSync(join(cache, '.peer-'));
    try {
      writeFileSync(join(partial, 'package.json'), '{"private":true}');
      const flags = ['--ignore-scripts=false', '--no-audit', '--no-fund', '--loglevel=error'];
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

async function measure(api: string, client: Client, task: string, bytes: number): Promise<number> {
  const [first, ...args] = [...PINNED, api, 'serve', INVOCATIONS, WARM_UP, bytes].map(String);
  const server = spawn(first as string, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  const port = (await lines.next()).value as string;
  const command = [...PINNED, ...client.command, ...(client.command[1] === 'echo' ? [port] : [])];
  const child = spawn(command[0] as string, command.slice(1), {
    cwd: task,
    stdio: ['ignore', 'ignore', 'pipe'],
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
  // The server ends with the last answer, of which clients complain.
  let said = '';
  child.stderr?.on('data', (text) => {
    said += text;
  });
  const ended = once(child, 'exit');
  try {
    const result = await Promise.race([
      lines.next(),
      ended.then(([code]) => ({ value: `ended with ${code}` })),
    ]);
    const seconds = Number(result.value);
    if (!(seconds > 0))
      throw new Error(`${client.name} did not get through: ${result.value}; ${said}`);
    return INVOCATIONS / seconds;
  } finally {
    server.kill();
    child.kill('SIGKILL');
    await ended;
  }
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}
