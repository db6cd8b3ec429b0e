import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LayersError } from '../../errors';
import { type EmulatorTools, ensureEmulatorTools, type NotAvailable } from '../tools';
import { type EmulatorAnswer, ExecutionEnvironment } from './environment';
import { detectIsolation, type Isolation } from './isolation';
import type { FunctionSpec, InvokeOptions, InvokeResult } from './model';
import { findForeignProgram } from './programs';
import { lambdaVariables } from './variables';

/**
 * The emulator counts the cold start as part of the function's timeout, which Lambda does not.
 * On this processor that is little; a cold start under qemu gets Lambda's ten seconds on top.
 */
const EMULATED_INIT_SECONDS = 10;

/** What does not end by the emulator's own timeout is ended after this time. */
const GRACE_MILLISECONDS = 30_000;

/** Environments kept warm; beyond that the one that is idle longest is ended. */
const WARM_ENVIRONMENTS = 8;

interface Slot {
  /** Ends when the invocation before is done: one at a time, as on Lambda. */
  turn: Promise<unknown>;
  environment?: ExecutionEnvironment;
  /** Merged layers, where there is no namespace to merge them in. */
  merged?: string;
  busy: number;
  lastUsed: number;
}

/** Runs functions as Lambda does: AWS's own emulator, in a file system like Lambda's. */
export class FunctionRunner {
  private readonly slots = new Map<string, Slot>();
  private closed = false;

  private constructor(
    private readonly tools: EmulatorTools,
    private readonly isolation: Isolation,
  ) {}

  static async create(options: { readonly tools?: EmulatorTools } = {}): Promise<FunctionRunner> {
    const tools = options.tools ?? (await ensureEmulatorTools());
    return new FunctionRunner(tools, await detectIsolation(tools));
  }

  /** What this machine cannot do: functions of another processor, isolation. */
  get notAvailable(): readonly NotAvailable[] {
    return this.isolation.notAvailable;
  }

  /** Invokes a function and waits for its answer; failures of the function are results. */
  async invoke(
    spec: FunctionSpec,
    event: string,
    options: InvokeOptions = {},
  ): Promise<InvokeResult> {
    if (this.closed) throw new LayersError('RunnerClosed', 'the function runner is closed');
    const started = performance.now();
    const requestId = options.requestId ?? randomUUID();
    const isolation: InvokeResult['isolation'] = this.isolation.namespaces ? 'namespace' : 'none';
    const how = this.isolation.how(spec.architecture);
    const facts = () => ({ how, isolation, milliseconds: performance.now() - started });
    if (how === 'not-run') {
      return { ...facts(), payload: '', log: '', notRun: this.whyNot(spec) };
    }

    const bootstrap = findBootstrap(spec);
    if (!bootstrap) {
      const message = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]";
      return { ...facts(), ...failure('Runtime.InvalidEntrypoint', message, requestId), log: '' };
    }

    const key = environmentKey(spec);
    const slot = this.slots.get(key) ?? { turn: Promise.resolve(), busy: 0, lastUsed: 0 };
    this.slots.set(key, slot);
    slot.busy += 1;
    const result = slot.turn.then(() => this.invokeInTurn(slot, spec, bootstrap, event, requestId));
    slot.turn = result.catch(() => {});
    try {
      return { ...(await result), ...facts() };
    } finally {
      slot.busy -= 1;
      slot.lastUsed = performance.now();
      await this.evict();
    }
  }

  /** Ends every environment and removes what was written for them. */
  async close(): Promise<void> {
    this.closed = true;
    const slots = [...this.slots.values()];
    this.slots.clear();
    await Promise.all(slots.map((slot) => endSlot(slot)));
  }

  private async invokeInTurn(
    slot: Slot,
    spec: FunctionSpec,
    bootstrap: Bootstrap,
    event: string,
    requestId: string,
  ) {
    if (this.closed) throw new LayersError('RunnerClosed', 'the function runner is closed');
    const emulated = this.isolation.how(spec.architecture) === 'emulated';
    const coldStartSeconds = spec.timeoutSeconds + (emulated ? EMULATED_INIT_SECONDS : 0);
    const warm = slot.environment?.alive ?? false;
    if (!slot.environment?.alive) {
      slot.environment = undefined;
      const foreign = await foreignProgram(spec);
      if (foreign) {
        const message = `fork/exec ${foreign.path}: exec format error`;
        const log = `${foreign.path} is a program for ${foreign.architecture}, and the function is ${spec.architecture}\n`;
        return { ...failure('Runtime.InvalidEntrypoint', message, requestId), log };
      }
      const withColdStart = { ...spec, timeoutSeconds: coldStartSeconds };
      slot.environment = await this.start(withColdStart, bootstrap, slot);
    }
    // The emulator knows the time with the cold start alone, also when there is none any more.
    const limit =
      emulated && warm ? spec.timeoutSeconds * 1000 : coldStartSeconds * 1000 + GRACE_MILLISECONDS;
    const answer = await slot.environment.invoke(event, requestId, limit);
    if (answer.spent) {
      await slot.environment.stop();
      slot.environment = undefined;
    }
    return toResult(answer, spec.timeoutSeconds, requestId);
  }

  private whyNot(spec: FunctionSpec): NotAvailable {
    const what = `${spec.architecture} functions`;
    const reasons = this.notAvailable;
    return (
      reasons.find((reason) => reason.what === what) ??
      reasons.find((reason) => reason.what === 'isolation of functions') ?? {
        what,
        why: `nothing here runs ${spec.architecture} programs`,
        cure: `run them on an ${spec.architecture} machine`,
      }
    );
  }

  private async start(
    spec: FunctionSpec,
    bootstrap: Bootstrap,
    slot: Slot,
  ): Promise<ExecutionEnvironment> {
    const { codeDir, layerDirs, architecture } = spec;
    const { rieBin } = this.tools;
    const emulated = this.isolation.how(architecture) === 'emulated';
    const extra = emulated ? this.isolation.emulationVariables : {};
    const rie =
      (program: string, path: string, variables: Record<string, string>) =>
      (emulator: string, runtime: string) => [
        ...['env', '-i', ...Object.entries(variables).map(([name, value]) => `${name}=${value}`)],
        ...[program, '--runtime-interface-emulator-address', emulator],
        ...['--runtime-api-address', runtime, '--log-level', 'debug', path],
      ];
    if (this.isolation.namespaces) {
      const variables = { ...lambdaVariables(spec, { task: '/var/task', opt: '/opt' }), ...extra };
      const command = rie('/var/rapid/rie', bootstrap.inLambda, variables);
      const contents = { layerDirs, codeDir, rie: rieBin };
      return ExecutionEnvironment.start({ stopSignal: 'SIGKILL', cwd: '/' }, (emulator, runtime) =>
        this.isolation.wrap(contents, architecture, command(emulator, runtime)),
      );
    }
    if (layerDirs.length > 1) slot.merged ??= await merge(layerDirs);
    const opt = slot.merged ?? layerDirs[0] ?? '/opt';
    const variables = lambdaVariables(spec, { task: codeDir, opt });
    const path = bootstrap.inLambda.replace(/^\/var\/task|^\/opt/, (root) =>
      root === '/opt' ? opt : codeDir,
    );
    const command = rie(rieBin, path, variables);
    return ExecutionEnvironment.start(
      { stopSignal: 'SIGTERM', cwd: codeDir },
      (emulator, runtime) => [...this.isolation.endsWithUs, ...command(emulator, runtime)],
    );
  }

  private async evict(): Promise<void> {
    const idle = [...this.slots].filter(([, slot]) => slot.busy === 0);
    idle.sort(([, a], [, b]) => a.lastUsed - b.lastUsed);
    const surplus = idle.slice(0, Math.max(0, this.slots.size - WARM_ENVIRONMENTS));
    for (const [key] of surplus) this.slots.delete(key);
    await Promise.all(surplus.map(([, slot]) => endSlot(slot)));
  }
}

interface Bootstrap {
  /** `/var/task/bootstrap` or `/opt/bootstrap`. */
  readonly inLambda: string;
}

/** The first of `/var/task/bootstrap` and `/opt/bootstrap`, as Lambda looks for it. */
function findBootstrap(spec: FunctionSpec): Bootstrap | undefined {
  const isFile = (path: string) => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  if (isFile(join(spec.codeDir, 'bootstrap'))) return { inLambda: '/var/task/bootstrap' };
  const inLayer = spec.layerDirs.some((folder) => isFile(join(folder, 'bootstrap')));
  return inLayer ? { inLambda: '/opt/bootstrap' } : undefined;
}

/** Whatever makes two invocations need different environments, and nothing else. */
function environmentKey(spec: FunctionSpec): string {
  const { functionArn, version, handler, architecture, codeDir, layerDirs } = spec;
  const { memoryMb, timeoutSeconds, environment } = spec;
  const sizes = [memoryMb, timeoutSeconds];
  const variables = Object.entries(environment).sort();
  return JSON.stringify([
    functionArn,
    version,
    handler,
    architecture,
    codeDir,
    layerDirs,
    sizes,
    variables,
  ]);
}

function foreignProgram(spec: FunctionSpec) {
  const layers = spec.layerDirs.map((folder) => ['/opt', folder] as const);
  return findForeignProgram([['/var/task', spec.codeDir], ...layers], spec.architecture);
}

async function merge(layerDirs: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lambda-opt-'));
  for (const layer of layerDirs) {
    await cp(layer, folder, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  }
  return folder;
}

async function endSlot(slot: Slot): Promise<void> {
  // Ends what runs now; what its turn still starts is ended when the turn is over.
  await slot.environment?.stop();
  await slot.turn;
  await slot.environment?.stop();
  if (slot.merged) await rm(slot.merged, { recursive: true, force: true });
}

/** Lambda's error object for failures that are not the handler's own. */
function failure(errorType: string, message: string, requestId: string) {
  const errorMessage = `RequestId: ${requestId} Error: ${message}`;
  return {
    payload: JSON.stringify({ errorType, errorMessage }),
    functionError: 'Unhandled' as const,
  };
}

function toResult(answer: EmulatorAnswer, timeoutSeconds: number, requestId: string) {
  const { body, log, transcript } = answer;
  const common = { log, initMilliseconds: transcript.initMilliseconds };
  if (transcript.timedOut) {
    const message = `Task timed out after ${timeoutSeconds.toFixed(2)} seconds`;
    return { ...common, ...failure('Sandbox.Timedout', message, requestId) };
  }
  if ((transcript.reportedError || transcript.refusedResult) && body !== '') {
    return { ...common, payload: body, functionError: 'Unhandled' as const };
  }
  if (transcript.fatal) {
    const { type, message } = transcript.fatal;
    if (body !== '') return { ...common, payload: body, functionError: 'Unhandled' as const };
    return { ...common, ...failure(type, message, requestId) };
  }
  if (answer.spent) {
    return {
      ...common,
      ...failure('Runtime.Unknown', 'the execution environment ended', requestId),
    };
  }
  return { ...common, payload: body };
}
