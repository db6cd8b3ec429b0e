import { readFileSync } from 'node:fs';
import { type DeliveryConfig, partitionOf, pauseOf } from '../../config';
import { findManifest, resolveLayers } from '../../layers';
import { exampleFunctionName, locate, planParameters } from '../../plan';
import { type ReleaseLayer, releaseLayer, type SmokeCheck } from '../../release';
import type { Invocation } from '../daemon';
import type { ExecutionReport } from '../engine';
import type { NotRun, ReportExecution, ReportSmoke, ReportTarget } from './report';
import type { TargetState } from './targets';

/** Last line of a smoke action's log. */
const SMOKE_REPORT = 'smoke-report: ';

/** How the log of a build marks its commands, as CodeBuild does. */
const RUN_COMMAND = '[Container] Running command ';
const FAILED_COMMAND = '[Container] Command did not exit successfully ';

/** Layers of a configuration that have been built; none of those that have not. */
export function builtLayers(config: DeliveryConfig, dirs: readonly string[]): ReleaseLayer[] {
  return resolveLayers({ runtimes: config.runtimes }).flatMap((spec) => {
    const manifest = findManifest(spec, dirs);
    return manifest ? [releaseLayer(manifest)] : [];
  });
}

export function reportExecutions(executions: readonly ExecutionReport[]): ReportExecution[] {
  return executions.map(({ id, trigger, status, commitId, seconds, stages }) => ({
    id,
    trigger: trigger.type,
    status,
    ...(commitId ? { commit: commitId } : {}),
    ...(seconds === undefined ? {} : { seconds }),
    stages: stages.map((stage) => ({
      name: stage.name,
      status: stage.status,
      actions: stage.actions.map(({ attempt: _attempt, ...action }) => action),
    })),
  }));
}

/** The checks of every smoke action, the newest of each layer and target. */
export function smokeChecks(executions: readonly ExecutionReport[]): SmokeCheck[] {
  const logs = executions.flatMap(({ stages }) =>
    stages.flatMap(({ actions }) =>
      actions.filter(({ name }) => name.startsWith('Smoke-')).map(({ log }) => log),
    ),
  );
  const newest = new Map<string, SmokeCheck>();
  for (const check of logs.flatMap(checksIn)) {
    newest.set(`${check.account}/${check.region}/${check.layer}`, check);
  }
  return [...newest.values()];
}

/** A sentence for each check that failed; not for what could merely not be run. */
function failedChecks(checks: readonly SmokeCheck[]): string[] {
  return checks
    .filter(({ ok, ran }) => ran && !ok)
    .map(
      ({ account, region, layer, message }) =>
        `smoke of ${layer} in ${account}/${region}: ${message}`,
    );
}

/** Why executions failed, beyond what CodePipeline itself knows of it: what their programs said. */
export function failureReasons(executions: readonly ExecutionReport[]): string[] {
  return [...buildErrors(executions), ...failedChecks(smokeChecks(executions))];
}

/** The last words of each failed build, of its newest attempt. Smoke actions have their checks. */
function buildErrors(executions: readonly ExecutionReport[]): string[] {
  const newest = new Map(
    executions
      .flatMap(({ id, stages }) =>
        stages.flatMap(({ actions }) => actions.map((run) => ({ id, run }))),
      )
      .map(({ id, run }) => [`${id} ${run.name}`, run]),
  );
  return [...newest.values()]
    .filter(({ name, provider, status }) => {
      return provider === 'CodeBuild' && status === 'Failed' && !name.startsWith('Smoke-');
    })
    .flatMap(({ name, log }) => {
      const said = lastWords(readFileSync(log, 'utf8'));
      return said ? [`${name}: ${said}`] : [];
    });
}

/** How our own tools and the CDK CLI begin their last error. */
const ERROR_MARK = /^(error \[\w+\]: |.*❌)/u;

/** Where the CDK CLI goes on to tell which lines of the app made the resource. */
const SOURCE_LINE = /\(\S*:\d*\)$/;

/** Lines of an error that are quoted at most; the whole log is on disk. */
const MAX_LINES = 12;

/** What the failed command printed at its end: its error, where it marks one, or three lines. */
function lastWords(log: string): string {
  const lines = log.split('\n');
  const failed = lines.findLastIndex((line) => line.startsWith(FAILED_COMMAND));
  const start = lines.findLastIndex((line, at) => at < failed && line.startsWith(RUN_COMMAND));
  const printed = lines.slice(start + 1, Math.max(failed, 0)).filter((line) => line.trim() !== '');
  const error = printed.findLastIndex((line) => ERROR_MARK.test(line));
  return printed
    .slice(error < 0 ? -3 : error)
    .filter((line) => !SOURCE_LINE.test(line.trimEnd()))
    .slice(0, MAX_LINES)
    .join('\n');
}

function checksIn(log: string): SmokeCheck[] {
  const lines = readFileSync(log, 'utf8').split('\n');
  const line = lines.reverse().find((text) => text.startsWith(SMOKE_REPORT));
  return line ? JSON.parse(line.slice(SMOKE_REPORT.length)) : [];
}

export interface TargetsBeforeAndAfter {
  readonly config: DeliveryConfig;
  readonly before: readonly TargetState[];
  readonly after: readonly TargetState[];
  readonly checks: readonly SmokeCheck[];
  readonly invocations: readonly Invocation[];
}

export function reportTargets(options: TargetsBeforeAndAfter): ReportTarget[] {
  return options.after.map((after) => {
    const { account, region, wave } = after;
    const before = options.before.find(
      (state) => state.account === account && state.region === region,
    );
    return {
      account,
      region,
      wave,
      ...pausing(options.config, after),
      published: Object.keys(after.layerVersions)
        .filter((arn) => !(arn in (before?.layerVersions ?? {})))
        .sort(),
      parameters: after.parameters,
      changedParameters: Object.entries(after.parameterVersions)
        .filter(([name, version]) => before?.parameterVersions[name] !== version)
        .map(([name]) => name)
        .sort(),
      permissions: [...after.permissions].sort(),
      smoke: options.checks
        .filter((check) => check.account === account && check.region === region)
        .map((check) => smokeOf(check, options)),
    };
  });
}

function pausing(
  config: DeliveryConfig,
  state: TargetState,
): Pick<ReportTarget, 'paused' | 'pausedSince'> {
  const wave = config.waves.find(({ name }) => name === state.wave);
  const pause = wave && pauseOf(wave, state);
  return pause ? { paused: pause.reason, pausedSince: pause.since } : {};
}

function smokeOf(check: SmokeCheck, { config, invocations }: TargetsBeforeAndAfter): ReportSmoke {
  const { account, region, layer, ok, milliseconds, message } = check;
  const arn = `arn:${partitionOf(region)}:lambda:${region}:${account}:function:${exampleFunctionName(config, layer)}`;
  const calls = invocations.filter(({ functionArn }) => functionArn === arn);
  return { layer, how: calls.at(-1)?.how ?? 'not-run', ok, milliseconds, message };
}

/** What the machine could not run, each thing once. */
export function notRunOf(invocations: readonly Invocation[]): NotRun[] {
  const all = invocations.flatMap(({ notRun }) => (notRun ? [notRun] : []));
  const isolation = invocations.some(({ isolation }) => isolation === 'none')
    ? [
        {
          what: "Lambda's file system (read-only but /tmp, layers at /opt)",
          why: 'user namespaces are not permitted, so functions saw the file system of this machine',
          cure: 'permit them, for example with `sysctl kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0`',
        },
      ]
    : [];
  return [...new Map([...all, ...isolation].map((entry) => [entry.what, entry])).values()];
}

/**
 * What contradicts the promises in the state that a successful run left: each configured layer must
 * be released, each released target hold exactly the planned parameters, and each recorded layer
 * the planned bytes.
 */
export function contradictions(
  config: DeliveryConfig,
  layers: readonly ReleaseLayer[],
  after: readonly TargetState[],
): string[] {
  const wrong = after
    .filter((state) => pausing(config, state).paused === undefined)
    .flatMap((state) => {
      const place = `${state.account}/${state.region}`;
      const planned = planParameters(config.namespace, locate(state), layers);
      const parameters = planned.flatMap(({ name, value }) =>
        state.parameters[name] === value
          ? []
          : [
              `${place}: parameter ${name} is ${state.parameters[name] ?? 'missing'}, the plan says ${value}`,
            ],
      );
      const names = new Set(planned.map(({ name }) => name));
      const surplus = Object.keys(state.parameters).flatMap((name) =>
        names.has(name) ? [] : [`${place}: parameter ${name} is there, the plan has none`],
      );
      const bytes = planned
        .filter(({ name }) => name.endsWith('/latest') || /\/\d+\.\d+\.\d+$/.test(name))
        .flatMap(({ value, layer }) =>
          state.layerVersions[value] === layer.codeSha256
            ? []
            : [
                `${place}: ${value} has CodeSha256 ${state.layerVersions[value] ?? 'none'}, the manifest says ${layer.codeSha256}`,
              ],
        );
      return [...parameters, ...surplus, ...bytes];
    });
  return [...missingLayers(config, layers), ...wrong];
}

/** A layer that is not in the release would pass every comparison. */
function missingLayers(config: DeliveryConfig, layers: readonly ReleaseLayer[]): string[] {
  const describe = (layer: Pick<ReleaseLayer, 'runtime' | 'version' | 'architecture'>) =>
    `${layer.runtime} ${layer.version} ${layer.architecture}`;
  const known = new Set(layers.map(describe));
  return config.runtimes
    .flatMap(({ name: runtime, versions, architectures }) =>
      versions.flatMap((version) =>
        architectures.map((architecture) => describe({ runtime, version, architecture })),
      ),
    )
    .filter((layer) => !known.has(layer))
    .map((layer) => `${layer} is configured, and was not released`);
}
