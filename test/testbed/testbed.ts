import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseConfig, REHEARSAL_VARIABLE } from '../../lib/config';
import {
  countFaults,
  type FaultRule,
  keepState,
  type LocalCloud,
  restoreState,
  setFaults,
} from '../../lib/rehearsal/cloud';
import { type CloudState, startServices } from '../../lib/rehearsal/daemon';
import type { ActionFault, PipelineEngine } from '../../lib/rehearsal/engine';
import type { Execution } from '../../lib/rehearsal/engine/execution';
import type { Pipeline } from '../../lib/rehearsal/engine/pipeline';
import {
  bootstrapAll,
  deployPipeline,
  type PersonOptions,
  placesOf,
  prepareCheckout,
} from '../../lib/rehearsal/session/person';
import { type Snapshot, takeSnapshot } from '../../lib/rehearsal/session/snapshot';
import { awsCli } from '../../lib/rehearsal/session/targets';
import { Checkout, type Place, type RawConfig, targetsOf } from '../e2e/support';
import { readContents, type TargetContents } from './contents';

export interface TestbedOptions {
  /** Configuration of the release that every target holds. */
  readonly before: RawConfig;
  /**
   * Configuration of the release that is on its way. It may differ in what is released; in nothing
   * that changes the pipeline.
   */
  readonly after: RawConfig;
}

/** Name of the state at the end of the undisturbed run. */
const END = 'end';

/**
 * The synthesized pipeline in a local cloud, in this process, with a release everywhere and a
 * second one on its way. The second one has been run once, undisturbed, by real actions; what all
 * accounts held in front of each of its stages is kept. So a test starts at the stage that it is
 * about, with the artifacts of real builds, in seconds:
 *
 * ```ts
 * const testbed = await Testbed.create({ before, after }); // two minutes
 * await testbed.reset('pilot-release');                    // the world in front of that stage
 * await testbed.faults([{ what: 'AWS::SSM::Parameter', kind: 'denied' }]);
 * const run = await testbed.run('pilot-release', 'production-approval');
 * expect(run.status).toBe('Failed');
 * await testbed.contents();                                // what the targets hold now
 * await testbed.faults([]);
 * await testbed.run('pilot-release', 'production-approval');
 * expect(await testbed.contents()).toEqual(testbed.expected('production-approval'));
 * ```
 *
 * Between `reset` and `run` a test may change whatever it likes through `cloud.sdkConfig(account,
 * region)`, which is root of the account: policies of roles, for example. The next `reset` undoes it.
 */
export class Testbed {
  /** Executions that were run undisturbed. */
  private first!: Execution;
  private second!: Execution;
  private readonly kept = new Map<string, TargetContents[]>();
  private held: string | undefined;

  private constructor(
    private readonly options: TestbedOptions,
    private readonly checkout: Checkout,
    private readonly closers: (() => Promise<void> | void)[],
    readonly state: CloudState,
    readonly engine: PipelineEngine,
    readonly cloud: LocalCloud,
  ) {
    engine.subscribe(
      ({ type, status, pipeline, executionId, stage = '', action = '', message }) => {
        if (type !== 'action' || status !== 'InProgress' || message === undefined) return;
        const run = engine
          .pipeline(pipeline)
          .execution(executionId ?? '')
          .latest(stage, action);
        if (run?.category !== 'Approval' || run.token === undefined || !this.approves) return;
        engine.approvals.answer(run.token, { status: 'Approved', summary: 'approved by the test' });
      },
    );
  }

  /** Whether approvals are given at once; they wait otherwise. */
  approves = true;

  static async create(options: TestbedOptions): Promise<Testbed> {
    process.env[REHEARSAL_VARIABLE] = '1';
    const checkout = Checkout.create();
    const closers: (() => Promise<void> | void)[] = [() => checkout.dispose()];
    try {
      const stateDir = join(checkout.dir, 'state');
      mkdirSync(stateDir);
      const logDir = join(checkout.dir, 'logs');
      const { state, engine, cloud } = await startServices(stateDir, logDir, closers);
      const testbed = new Testbed(options, checkout, closers, state, engine, cloud);
      await testbed.releaseFirst(logDir);
      await testbed.runSecond();
      return testbed;
    } catch (error) {
      await closeAll(closers);
      throw error;
    }
  }

  /** Ends everything, and removes it. */
  async dispose(): Promise<void> {
    await setFaults(this.state, []);
    await closeAll(this.closers);
  }

  get pipeline(): Pipeline {
    return this.engine.pipelines()[0] as Pipeline;
  }

  /** Names of the pipeline's stages, in order. */
  get stages(): string[] {
    return this.pipeline.definition.Stages.map(({ Name }) => Name);
  }

  /** Id of the execution that released the first release everywhere. */
  get firstExecution(): string {
    return this.first.id;
  }

  /** Every target, wave by wave. */
  get targets(): Place[] {
    return targetsOf(this.options.after);
  }

  /**
   * Brings everything back to what it was when the second release stood in front of a stage: all
   * accounts, and the pipeline's history, in which the first release succeeded. No faults are left.
   *
   * @param stage @default after the last one
   */
  async reset(stage: string = END): Promise<void> {
    await this.faults([]);
    this.approves = true;
    const { pipeline } = this;
    for (const execution of pipeline.executions) {
      if (execution.isActive) pipeline.stop(execution.id, true, 'the test is over');
    }
    await pipeline.idle();
    this.hold(undefined);
    await this.restore(stage);
    pipeline.executions.splice(0, pipeline.executions.length, this.first);
  }

  /** Sets what fails from now on, in place of what failed before. */
  async faults(rules: readonly FaultRule[], actions: readonly ActionFault[] = []): Promise<void> {
    await setFaults(this.state, rules);
    this.engine.faults.set(actions);
  }

  /** How often each of them has been met: those of requests and resources, then those of actions. */
  async metFaults(): Promise<number[]> {
    return [...(await countFaults(this.state)), ...this.engine.faults.counts()];
  }

  /**
   * Runs the second release from a stage on, until it ends or stands in front of another one.
   *
   * @param until stage that is not entered @default runs to the end
   */
  async run(from: string, until?: string): Promise<Execution> {
    this.hold(until);
    const execution = this.pipeline.startAt(from, this.second);
    await this.settled();
    return execution;
  }

  /** Resolves once every execution has ended or waits in front of the stage of `run`. */
  async settled(): Promise<void> {
    const { pipeline, held } = this;
    for (;;) {
      const waiting = held === undefined ? [] : pipeline.runner.inboundOf(held);
      const busy = pipeline.executions.some(
        ({ id, isActive }) => isActive && !waiting.includes(id),
      );
      // An automatic rollback begins in the same turn in which the failure is told.
      if (!busy) return;
      await sleep(20);
    }
  }

  /** Resolves once no stack of a target is being deployed any more. */
  async atRest(): Promise<void> {
    for (let tries = 0; tries < 200; tries++) {
      const stacks = (await this.contents()).flatMap((target) => Object.values(target.stacks));
      if (!stacks.some((status) => status.endsWith('_IN_PROGRESS'))) return;
      await sleep(100);
    }
    throw new Error('stacks do not come to rest');
  }

  /** The real AWS CLI as root of the home account, CodePipeline included. */
  aws<Answer>(...args: string[]): Promise<Answer> {
    return this.awsIn(this.options.after.home, ...args);
  }

  /** The same as root of any account. */
  awsIn<Answer>(place: Place, ...args: string[]): Promise<Answer> {
    return awsCli<Answer>(this.state, place, args);
  }

  /** What every target holds. */
  contents(): Promise<TargetContents[]> {
    return readContents(this.cloud, this.targets, this.options.after.namespace ?? '/layers');
  }

  /**
   * What every target held in the undisturbed run, in front of a stage.
   *
   * @param stage @default at the end
   */
  expected(stage: string = END): TargetContents[] {
    const found = this.kept.get(stage);
    if (!found) throw new Error(`nothing is kept of stage ${stage}`);
    return found;
  }

  private async releaseFirst(logDir: string): Promise<void> {
    const { before } = this.options;
    const snapshot = await this.snapshot(before);
    const config = parseConfig(before);
    const person: PersonOptions = {
      cloud: this.state,
      config,
      checkout: join(this.checkout.dir, snapshot.commitId),
      logDir,
      temporary: this.checkout.temporary,
    };
    await prepareCheckout(snapshot.zipPath, this.checkout.root, person.checkout, logDir);
    await bootstrapAll(person, placesOf(config), () => undefined);
    this.push(snapshot);
    await deployPipeline(person);
    await this.settled();
    this.first = this.successOf(this.pipeline.executions);
  }

  private async runSecond(): Promise<void> {
    const snapshot = await this.snapshot(this.options.after);
    const { pipeline, stages } = this;
    const count = pipeline.executions.length;
    for (const [index, stage] of stages.entries()) {
      this.hold(stage);
      if (index === 0) this.push(snapshot);
      await this.settled();
      await this.keep(stage);
    }
    this.hold(undefined);
    await this.settled();
    this.second = this.successOf(pipeline.executions.slice(count));
    await this.keep(END);
  }

  private snapshot(config: RawConfig): Promise<Snapshot> {
    const { root, dir } = this.checkout;
    return takeSnapshot({ root, dir, includeWorkingTree: false, config });
  }

  private push({ zipPath, commitId, message, authorDate }: Snapshot): void {
    const { branch, repository } = parseConfig(this.options.after).source;
    this.engine.pushCommit({ zipPath, commitId, message, authorDate, branch, repository });
  }

  private async keep(stage: string): Promise<void> {
    await keepState(this.state, stage);
    this.kept.set(stage, await this.contents());
  }

  /** A stack whose action was killed may still be on its way. */
  private async restore(stage: string): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        return await restoreState(this.state, stage);
      } catch (error) {
        if (tries === 200 || !/being deployed/.test((error as Error).message)) throw error;
        await sleep(50);
      }
    }
  }

  private hold(stage: string | undefined): void {
    const { held, pipeline } = this;
    this.held = stage;
    if (stage !== undefined) pipeline.holdBefore(stage, 'held by the test');
    if (held !== undefined && held !== stage) pipeline.holdBefore(held, undefined);
  }

  private successOf(executions: readonly Execution[]): Execution {
    const [execution] = executions;
    if (executions.length === 1 && execution?.status === 'Succeeded') return execution;
    throw new Error(
      `the undisturbed run did not succeed: ${executions.map(({ status, message }) => `${status} ${message}`).join('; ')}`,
    );
  }
}

async function closeAll(closers: (() => Promise<void> | void)[]): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}
