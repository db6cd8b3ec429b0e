import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import Table from 'cli-table3';
import { Argument, Command, InvalidArgumentError } from 'commander';
import { extractZip } from '../../lib/archive';
import { REGIONS } from '../../lib/config';
import { readManifests } from '../../lib/layers';
import { zipPath } from '../../lib/layers/manifests';
import { runProgram } from '../../lib/program';
import { runContract } from './contract';
import { contractTable, reasonsOf } from './contract-table';
import { measurePublish } from './publish';
import { type ClientResult, type Measurement, measureRuntimes, STARTS } from './runtimes';

const ROOT = join(__dirname, '../..');

/** Runs a command of the project and answers its wall time in seconds. */
function time(args: string[], env: Record<string, string> = {}): number {
  const started = performance.now();
  execFileSync(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return (performance.now() - started) / 1000;
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

function repeat(runs: number, work: () => number): number {
  return median(Array.from({ length: runs }, work));
}

function show(title: string, head: string[], rows: (string | number)[][]): void {
  const table = new Table({ head, style: { head: [], border: [], compact: true } });
  table.push(
    ...rows.map((row) => row.map((cell) => (typeof cell === 'number' ? cell.toFixed(2) : cell))),
  );
  console.log(`\n${title}\n${table.toString()}`);
}

/** All four layers built from nothing, against nothing changed, and against `zip -9`. */
async function build(runs: number): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'layers-bench-'));
  try {
    const full = time(['bin/layers.js', 'build', '--out', dir]);
    const unchanged = repeat(runs, () => time(['bin/layers.js', 'build', '--out', dir]));
    show(
      'build of the configured layers',
      ['case', 'seconds', 'of a full build'],
      [
        ['full, npm cache as it is', full, 1],
        [`nothing changed (median of ${runs})`, unchanged, unchanged / full],
      ],
    );
    const rows = [];
    let seconds = 0;
    for (const manifest of readManifests([dir])) {
      const zip = await zipNine(zipPath(manifest, dir), join(dir, 'tree'));
      if (zip === undefined)
        return console.log('\nzip -9 is absent: install zip to compare with it');
      seconds += zip.seconds;
      const { name, zipBytes } = manifest;
      rows.push([name, zipBytes / 1e6, zip.bytes / 1e6, (zipBytes / zip.bytes).toFixed(3)]);
    }
    show('zips against zip -9 of the same files, MB', ['layer', 'zip', 'zip -9', 'ratio'], rows);
    const ratio = (full / seconds).toFixed(2);
    console.log(
      `zip -9, one after the other: ${seconds.toFixed(1)} s; the full build is ${ratio} of it`,
    );
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The files of a layer's zip in one of Info-ZIP's; undefined when that is not installed. */
async function zipNine(layer: string, tree: string) {
  await extractZip(layer, tree);
  const file = `${tree}.zip`;
  try {
    const started = performance.now();
    const { error } = spawnSync('zip', ['-9', '-q', '-r', '-X', file, '.'], { cwd: tree });
    if (error) return undefined;
    return { seconds: (performance.now() - started) / 1000, bytes: statSync(file).size };
  } finally {
    rmSync(file, { force: true });
    rmSync(tree, { recursive: true, force: true });
  }
}

/** Synth of many targets against synth of one, with CDK's own validation of templates and without. */
function synth(runs: number): void {
  const dir = mkdtempSync(join(tmpdir(), 'layers-bench-'));
  try {
    const cdk = join(ROOT, 'node_modules/aws-cdk/bin/cdk');
    const { delivery } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8')).context;
    const run = (waves: object[], validation: boolean) =>
      time(
        [
          cdk,
          'synth',
          '--quiet',
          '-o',
          join(dir, 'out'),
          '-c',
          `delivery.waves=${JSON.stringify(waves)}`,
        ],
        { LAYERS_REHEARSAL: '1', CDK_VALIDATION: String(validation) },
      );
    const accounts = ['222222222222', '333333333333', '444444444444'];
    const regions = [...REGIONS].flatMap(([name, { partition }]) =>
      partition === 'aws' ? [name] : [],
    );
    const wave = (count: number, of: string[]) => [
      { name: 'all', accounts: accounts.slice(0, count), regions: of },
    ];
    const cases: [string, number, object[]][] = [
      ['one target', 1, wave(1, regions.slice(0, 1))],
      ['the configured targets', targetCount(delivery.waves), delivery.waves],
      [`${regions.length} regions, 3 accounts`, 3 * regions.length, wave(3, regions)],
    ];
    run(cases[0][2], true);
    const measured = cases.map(([name, targets, waves]) => ({
      name,
      targets,
      with: repeat(runs, () => run(waves, true)),
      without: repeat(runs, () => run(waves, false)),
    }));
    const [one] = measured;
    const further = (seconds: number, first: number, targets: number) =>
      targets > 1 ? ((1000 * (seconds - first)) / (targets - 1)).toFixed(0) : '';
    show(
      `cdk synth, layers built before (median of ${runs})`,
      [
        'case',
        'seconds',
        'of one target',
        'ms a further target',
        'CDK_VALIDATION=false',
        'of one',
        'ms',
      ],
      measured.map((row) => [
        row.name,
        row.with,
        row.with / one.with,
        further(row.with, one.with, row.targets),
        row.without,
        row.without / one.without,
        further(row.without, one.without, row.targets),
      ]),
    );
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function targetCount(waves: { accounts: string[]; regions: string[] }[]): number {
  return waves.reduce((sum, { accounts, regions }) => sum + accounts.length * regions.length, 0);
}

/** One whole rehearsal, part by part. */
function rehearsal(): void {
  const dir = mkdtempSync(join(tmpdir(), 'layers-bench-'));
  try {
    const file = join(dir, 'report.json');
    time(['bin/rehearse.js', '--approve', 'all', '--report', file, '--include-working-tree']);
    const report = JSON.parse(readFileSync(file, 'utf8'));
    const parts = report.parts.map(({ name, seconds }: { name: string; seconds: number }) => [
      name,
      seconds,
      `${Math.round((100 * seconds) / report.seconds)} %`,
    ]);
    const actions = report.executions.flatMap(
      ({ stages }: { stages: { name: string; actions: { name: string; seconds: number }[] }[] }) =>
        stages.flatMap((stage) =>
          stage.actions.map(({ name, seconds }) => [
            `  ${stage.name}: ${name}`,
            seconds,
            `${Math.round((100 * seconds) / report.seconds)} %`,
          ]),
        ),
    );
    show(
      `rehearsal, ${report.result}`,
      ['part', 'seconds', 'of all'],
      [...parts, ...actions, ['all', report.seconds, '100 %']],
    );
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The layers' clients of the Runtime API, and others, on one core. */
async function runtimes(runs: number, peers: ReadonlyMap<string, string>): Promise<void> {
  const clients = await measureRuntimes(runs, peers);
  const roundsOf = (begin: string, bytes: number) =>
    clients.find(({ name }) => name.startsWith(begin))?.sizes?.get(bytes);
  const sizes = new Set(clients.flatMap((client) => [...(client.sizes?.keys() ?? [])]));
  for (const bytes of sizes) {
    show(
      `echo of ${bytes / 1024} KB, client and server on one core (medians of ${runs})`,
      ['client', '1/s', 'of C', 'of aws-lambda-ric', 'CPU µs', 'memory MB'],
      clients.flatMap((client) => {
        if (client.absent) return [[client.name, 'absent', client.absent, '', '', '']];
        const rounds = client.sizes?.get(bytes);
        if (!rounds) return [];
        const of = (field: keyof Measurement) => median(rounds.map((one) => one[field])).toFixed(0);
        // What else runs on the machine changes from round to round: ratios are of the same one.
        const ratios = ['C,', 'aws-lambda-ric'].map((begin) => {
          const others = roundsOf(begin, bytes);
          return others ? median(rounds.map(({ rate }, round) => rate / others[round].rate)) : '';
        });
        return [[client.name, of('rate'), ...ratios, of('cpu'), of('memory')]];
      }),
    );
  }
  showStarts(clients);
}

function showStarts(clients: readonly ClientResult[]): void {
  const startsOf = (begin: string) =>
    clients.find(({ name, starts }) => starts && name.startsWith(begin))?.starts;
  show(
    `from the start of the process to its first request, ms (${STARTS} starts each, on one core)`,
    [
      'client',
      'best',
      'first quartile',
      'median',
      'over the interpreter alone',
      'of aws-lambda-ric',
    ],
    clients.flatMap(({ name, starts }) => {
      if (!starts) return [];
      const sorted = [...starts].sort((a, b) => a - b);
      const [best, quartile] = [sorted[0], sorted[Math.floor(sorted.length / 4)]];
      // One after the other in each round: differences and ratios are of the same one.
      const compared = (begin: string, of: (mine: number, other: number) => number) => {
        const others = startsOf(begin);
        return others ? median(starts.map((mine, round) => of(mine, others[round]))) : undefined;
      };
      const over = compared(`${name} alone`, (mine, alone) => mine - alone);
      const ratio = compared('aws-lambda-ric', (mine, other) => mine / other);
      const shown = [best, quartile, median([...starts]), over].map(
        (each) => each?.toFixed(1) ?? '',
      );
      return [[name, ...shown, ratio ?? '']];
    }),
  );
}

/** The rows of docs/runtimes.md that can be asked of any client, and what each does. */
async function contract(peers: ReadonlyMap<string, string>): Promise<void> {
  const started = performance.now();
  const clients = await runContract(peers);
  const { head, rows } = contractTable(clients);
  show('the contract: ✓ holds, ✗ does not, – cannot be asked', head, rows);
  for (const line of clients.flatMap(reasonsOf)) console.log(line);
  for (const { name, absent } of clients) if (absent) console.log(`${name} is absent: ${absent}`);
  console.log(`${((performance.now() - started) / 1000).toFixed(0)} s`);
}

/** `NAME=DIR`, gathered. */
function peer(text: string, peers: Map<string, string>): Map<string, string> {
  const [, name, folder] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (!name || !folder || !existsSync(join(folder, 'bootstrap'))) {
    throw new InvalidArgumentError('write NAME=FOLDER, of a folder with a bootstrap in it');
  }
  return peers.set(name, resolve(folder));
}

/** Our publish command against CDK's publisher. */
async function publish(): Promise<void> {
  const { title, ours, peer, requests } = await measurePublish();
  show(
    title,
    ['publisher', 'seconds', 'requests', 'of cdk-assets'],
    [
      ['layers publish', ours, String(requests[0]), ours / peer],
      ['cdk-assets', peer, String(requests[1]), 1],
    ],
  );
}

function parseRuns(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('write a whole number from 1 to 999');
}

const program = new Command('bench')
  .description('Measure builds, synth, runtimes and the rehearsal on this machine')
  .addArgument(
    new Argument('[what...]', 'what to measure; everything by default').choices([
      'build',
      'synth',
      'publish',
      'runtimes',
      'contract',
      'rehearsal',
    ]),
  )
  .option(
    '--peer <NAME=DIR>',
    'another client of the Runtime API; may be repeated',
    peer,
    new Map(),
  )
  .option('--runs <n>', 'runs of which the median is shown', parseRuns, 3)
  .action(async (what: string[], { runs, peer }) => {
    const wanted = (name: string) => what.length === 0 || what.includes(name);
    console.log(`${cpus().length} cores, ${cpus()[0].model}, Node.js ${process.version}`);
    if (wanted('build')) await build(runs);
    if (wanted('synth')) synth(runs);
    if (wanted('publish')) await publish();
    if (wanted('runtimes')) await runtimes(runs, peer);
    if (wanted('contract')) await contract(peer);
    if (wanted('rehearsal')) rehearsal();
  });

runProgram(() => program.parseAsync());
