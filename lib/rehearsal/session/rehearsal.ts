import { existsSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type DeliveryConfig, parseConfig, REHEARSAL_VARIABLE, readJson } from '../../config';
import { describeError, LayersError } from '../../errors';
import type { ReleaseLayer } from '../../release';
import { releaseFolders } from '../../release/prepare';
import { CloudHandle, readInvocations } from '../daemon';
import { makeScratch } from '../scratch';
import { ensureTools } from '../tools';
import { EngineClient } from './client';
import {
  builtLayers,
  contradictions,
  failureReasons,
  notRunOf,
  reportExecutions,
  reportTargets,
  smokeChecks,
} from './collect';
import type { Display } from './display';
import { checkFaults, inject, type MetFault, metFaults } from './faults';
import { follow } from './follow';
import type { RehearsalOptions } from './options';
import {
  bootstrapAll,
  deployPipeline,
  notBootstrapped,
  type PersonOptions,
  prepareCheckout,
} from './person';
import { killRunning } from './process';
import { rehearsable } from './rehearsable';
import { releasedLayers } from './release';
import type { Report } from './report';
import { committedConfig, type Snapshot, takeSnapshot } from './snapshot';
import { readTargets, type TargetState } from './targets';

/** Folder, below the checkout, for logs that outlive the rehearsal. */
const LOG_DIR = join('.rehearsal', 'logs');

/** One commit that is pushed, with the configuration that it carries. */
interface Push {
  readonly config: DeliveryConfig;
  readonly snapshot: Snapshot;
}

/**
 * Takes a commit, and with `after` a second one, through the synthesized pipeline on this machine.
 * Everything that it starts or writes is ended and removed by `close`, but for logs.
 */
export class Rehearsal {
  readonly logDir: string;
  private readonly dir: string;
  private readonly parts: { name: string; seconds: number }[] = [];
  private readonly started = performance.now();
  private readonly interruption = new AbortController();
  private cloud: CloudHandle | undefined;
  /** Of a kept local cloud, whatever its targets hold; in a new one they are empty. */
  private readonly before: TargetState[] = [];
  /** How many functions a kept local cloud had been asked for. */
  private invocationsBefore = 0;
  /** Once the latest push has succeeded; what it left stays as it is. */
  private after: TargetState[] | undefined;
  private met: MetFault[];
  private lastEvent = 0;
  private latest: Push | undefined;
  /** Once what ran in a kept local cloud has been ended. */
  private stopped: Promise<void> = Promise.resolve();

  constructor(
    private readonly options: RehearsalOptions,
    private readonly display: Display,
  ) {
    this.logDir = join(options.root, LOG_DIR);
    this.dir = makeScratch();
    this.met = options.fault.map(({ text }) => ({ fault: text, met: 0 }));
  }

  /** The local cloud, once it runs. */
  get handle(): CloudHandle | undefined {
    return this.cloud;
  }

  /** Runs everything; answers the problems that the pipeline's end left, none when it succeeded. */
  async run(): Promise<string[]> {
    process.env[REHEARSAL_VARIABLE] = '1';
    const pushes = await this.pushes();
    await this.part('tools', () =>
      ensureTools({ onProgress: (message) => this.display.line(`  ${message}`) }),
    );
    this.cloud = await this.part('local AWS APIs', () =>
      CloudHandle.open(this.options.root, this.logDir),
    );
    const { state, isNew } = this.cloud;
    const client = new EngineClient(state);
    this.lastEvent = isNew ? 0 : await client.lastEvent();
    if (!isNew) {
      this.invocationsBefore = readInvocations(state.invocationsFile).length;
      this.display.line('  using the local cloud that --keep left running');
      for (const { config } of pushes) this.before.push(...(await readTargets(state, config)));
    }
    const problems = await this.carryAll(pushes, client).catch(async (error) => {
      // What failed says more than that nothing answers any more.
      await this.endFaults(client).catch(() => undefined);
      throw error;
    });
    await this.endFaults(client);
    if (problems.length > 0) return problems;
    return this.met.flatMap(({ fault, met }) =>
      met > 0 ? [] : [`fault ${fault} was never met: the pipeline did nothing that it names`],
    );
  }

  /** Ends what runs; `run` fails soon after, and nothing new begins. */
  interrupt(): void {
    this.interruption.abort(new LayersError('Interrupted', 'interrupted'));
    killRunning();
    void this.cloud?.close();
    // A kept local cloud lives on, and would go on releasing.
    this.stopped = this.stopExecutions().catch((error) => this.display.line(describeError(error)));
  }

  /** What happened so far; also after a failure, an interruption included. */
  async report(found: readonly string[]): Promise<Report> {
    const problems = [...found];
    // After a failure the local cloud may be gone; the report is written all the same.
    const read = async <Value>(what: string, work: () => Promise<Value[]>): Promise<Value[]> => {
      try {
        return await work();
      } catch (error) {
        problems.push(`${what} could not be read: ${(error as Error).message}`);
        return [];
      }
    };
    const state = this.cloud?.state;
    const config = this.latest?.config;
    const executions = (
      await read('executions', async () => (state ? new EngineClient(state).executions() : []))
    ).filter(({ startTime }) => Date.parse(startTime) >= this.startedAt());
    const invocations = state
      ? readInvocations(state.invocationsFile).slice(this.invocationsBefore)
      : [];
    const after =
      this.after ??
      (await read('targets', async () => (state && config ? readTargets(state, config) : [])));
    const layers = await read('layers', async () => (config ? this.layers(config) : []));
    const checks = await read('smoke checks', async () => smokeChecks(executions));
    if (problems.length > 0) {
      problems.push(...(await read('logs', async () => failureReasons(executions))));
    }
    const notRun = notRunOf(invocations);
    const failed = problems.length > 0;
    return {
      schemaVersion: 1,
      result: failed ? 'failed' : notRun.length > 0 ? 'succeeded-not-all-run' : 'succeeded',
      commit: this.latest?.snapshot.commitId ?? '',
      seconds: seconds(this.started),
      parts: this.parts,
      executions: reportExecutions(executions),
      layers: layers.map(({ schemaVersion: _, ...layer }) => layer),
      targets: config
        ? reportTargets({
            config,
            before: this.before,
            after,
            checks,
            invocations,
          })
        : [],
      faults: this.met,
      notRun,
      problems,
    };
  }

  /** Id of the account that the pipeline is in. */
  get home(): string | undefined {
    return this.latest?.config.home.account;
  }

  /** Prefix of the SSM parameters. */
  get namespace(): string {
    return this.latest?.config.namespace ?? '';
  }

  /** What happened up to an interruption: nothing, where the local cloud ended with it. */
  async interruptedReport(): Promise<Report> {
    await this.stopped;
    if (this.cloud?.isNew) this.cloud = undefined;
    return this.report(['interrupted']);
  }

  /** Ends a local cloud that is not kept, and removes what this rehearsal wrote. */
  async close(): Promise<void> {
    // Again, for a push that was under way when the first request came.
    if (this.interruption.signal.aborted) await this.stopExecutions();
    await this.cloud?.close();
    this.removeFiles();
  }

  removeFiles(): void {
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }

  private async stopExecutions(): Promise<void> {
    if (this.cloud && !this.cloud.isNew) await new EngineClient(this.cloud.state).stopExecutions();
  }

  private async pushes(): Promise<Push[]> {
    const { root, config, after, includeWorkingTree } = this.options;
    const replacement = config ? configIn(config) : undefined;
    const first = replacement ?? (await committedConfig(root, includeWorkingTree));
    const second = after ? configIn(after) : undefined;
    const snapshot = (replaced?: unknown) =>
      takeSnapshot({ root, dir: this.dir, includeWorkingTree, config: replaced });
    const configOf = (raw: unknown) => rehearsable(parseConfig(raw));
    const pushes = [{ config: configOf(first), snapshot: await snapshot(replacement) }];
    if (second !== undefined) {
      pushes.push({ config: configOf(second), snapshot: await snapshot(second) });
    }
    const configs = pushes.map((push) => push.config);
    checkFaults(this.options.fault, configs, releaseFolders(root));
    const { snapshot: taken } = pushes[0];
    this.display.line(`rehearsing ${taken.commitId.slice(0, 12)} ${taken.message}`);
    if (taken.leftOut) {
      this.display.line('  uncommitted changes are left out; --include-working-tree takes them in');
    }
    return pushes;
  }

  private async carryAll(pushes: readonly Push[], client: EngineClient): Promise<string[]> {
    for (const push of pushes) {
      this.latest = push;
      this.after = undefined;
      const problems = await this.carry(push, client, push === pushes[0]);
      if (problems.length > 0) return problems;
    }
    return [];
  }

  private async carry(push: Push, client: EngineClient, isFirst: boolean): Promise<string[]> {
    const { config, snapshot } = push;
    const cloud = this.cloud?.state;
    if (!cloud) throw new Error('the local cloud is not running');
    const person: PersonOptions = {
      cloud,
      config,
      checkout: join(this.dir, snapshot.commitId),
      logDir: this.logDir,
      temporary: this.dir,
    };
    const places = await notBootstrapped(cloud, config);
    if (places.length > 0) {
      await this.prepare(push, person);
      await this.part('cdk bootstrap', () =>
        bootstrapAll(person, places, (place, took) =>
          this.display.step(`${place.account}/${place.region}`, took),
        ),
      );
    }
    this.throwIfInterrupted();
    // They count over all pushes.
    if (isFirst) await inject(cloud, client, this.options.fault);
    // Of a rehearsal that was killed: how they end says nothing of this push.
    const others = new Set((await client.executions()).map(({ id }) => id));
    this.throwIfInterrupted();
    const started = await client.push({
      zipPath: snapshot.zipPath,
      commitId: snapshot.commitId,
      message: snapshot.message,
      branch: config.source.branch,
      repository: config.source.repository,
      authorDate: snapshot.authorDate,
    });
    // No pipeline is there yet, or none that takes these commits: a person deploys.
    if (started.length === 0) await this.deploy(push, person, client, others);
    const { problems, last } = await this.part(
      'pipeline',
      () =>
        follow({
          client,
          since: this.lastEvent,
          commitId: snapshot.commitId,
          others,
          approve: this.options.approve,
          display: this.display,
          signal: this.interruption.signal,
        }),
      false,
    );
    this.lastEvent = last;
    if (problems.length > 0) return [...problems];
    return this.part('reading SSM back with the AWS CLI', async () => {
      this.after = await readTargets(cloud, config);
      return contradictions(config, await this.layers(config), this.after);
    });
  }

  private async deploy(
    push: Push,
    person: PersonOptions,
    client: EngineClient,
    others: ReadonlySet<string>,
  ): Promise<void> {
    await this.prepare(push, person);
    await this.part('cdk deploy of the pipeline', () => deployPipeline(person));
    if ((await client.executions()).some(({ id }) => !others.has(id))) return;
    const { branch, repository } = push.config.source;
    throw new LayersError(
      'NothingStarted',
      `no pipeline of the local cloud takes commits of branch ${branch} of ${repository}, and deploying it changed nothing; a new local cloud has none of its past: npm run rehearse -- --stop`,
    );
  }

  private async prepare({ snapshot }: Push, { checkout }: PersonOptions): Promise<void> {
    if (existsSync(checkout)) return;
    await this.part('checkout', () =>
      prepareCheckout(snapshot.zipPath, this.options.root, checkout, this.logDir),
    );
  }

  /** What the pipeline releases; before its synth, the layers that the checkout has. */
  private async layers(config: DeliveryConfig): Promise<ReleaseLayer[]> {
    const cloud = this.cloud?.state;
    const released = cloud && (await releasedLayers(cloud, this.startedAt(), this.dir));
    return [...(released ?? builtLayers(config, [join(this.options.root, 'dist/layers')]))];
  }

  private async part<Value>(
    name: string,
    work: () => Promise<Value>,
    shown = true,
  ): Promise<Value> {
    const started = performance.now();
    this.throwIfInterrupted();
    try {
      return await (shown ? this.display.part(name, work) : work());
    } finally {
      this.parts.push({ name, seconds: seconds(started) });
    }
  }

  /** What is kept must not go on failing. */
  private async endFaults(client: EngineClient): Promise<void> {
    const { fault: faults } = this.options;
    const cloud = this.cloud?.state;
    if (!cloud || faults.length === 0 || this.interruption.signal.aborted) return;
    this.met = await metFaults(cloud, client, faults);
    await inject(cloud, client, []);
  }

  private throwIfInterrupted(): void {
    this.interruption.signal.throwIfAborted();
  }

  private startedAt(): number {
    return Date.now() - (performance.now() - this.started);
  }
}

function configIn(file: string): unknown {
  return readJson(file, relative(process.cwd(), file) || file);
}

function seconds(since: number): number {
  return Math.round(performance.now() - since) / 1000;
}
