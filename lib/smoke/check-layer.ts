import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { LayersError } from '../errors';
import type { ReleaseLayer, TargetLayer } from '../release';
import type { TargetLambda } from './target-lambda';

/** What came out for one layer in one target. */
export interface LayerFindings {
  readonly problems: readonly string[];
  /** Why the rehearsal could not run the function. */
  readonly notRun?: string;
}

/**
 * Reads the recorded layer version back, and lets the function that attaches exactly it answer.
 *
 * @param allowNotRun the rehearsal may report an architecture that it cannot run
 */
export async function checkLayer(
  lambda: TargetLambda,
  layer: ReleaseLayer,
  names: TargetLayer,
  allowNotRun: boolean,
): Promise<LayerFindings> {
  const version = await attempt(() => checkLayerVersion(lambda, layer, names.arn));
  const configuration = await attempt(() => checkConfiguration(lambda, layer, names));
  let notRun: string | undefined;
  const answer = await attempt(async () => {
    const findings = await checkAnswer(lambda, layer, names.functionName, allowNotRun);
    notRun = findings.notRun;
    return findings.problems;
  });
  return { problems: [...version, ...configuration, ...answer], notRun };
}

/** A request that failed is one problem among others: the remaining checks still run. */
async function attempt(check: () => Promise<readonly string[]>): Promise<readonly string[]> {
  try {
    return await check();
  } catch (error) {
    // The code leads: a denial is found by AWS's own word for it.
    if (error instanceof LayersError) return [`${error.code}: ${error.message}`];
    throw error;
  }
}

async function checkLayerVersion(lambda: TargetLambda, layer: ReleaseLayer, arn: string) {
  const version = await lambda.layerVersion(arn);
  if (!version) {
    return [
      `layer version ${arn} does not exist: version 1 was deleted or is not published yet; if it was deleted, raise "revision" in assets/runtimes/${layer.runtime}/runtime.json, which gives the layer a new name`,
    ];
  }
  const problems: string[] = [];
  const sha256 = version.Content?.CodeSha256;
  if (sha256 !== layer.codeSha256) {
    problems.push(`${arn} has CodeSha256 ${sha256}, the release says ${layer.codeSha256}`);
  }
  const architectures = version.CompatibleArchitectures ?? [];
  if (!isDeepStrictEqual(architectures, [layer.architecture])) {
    problems.push(
      `${arn} is compatible with [${architectures.join(', ')}], the release says [${layer.architecture}]`,
    );
  }
  return problems;
}

async function checkConfiguration(
  lambda: TargetLambda,
  layer: ReleaseLayer,
  { arn, functionName }: TargetLayer,
) {
  const configuration = await lambda.functionConfiguration(functionName);
  if (!configuration) {
    return [`function ${functionName} does not exist; deploy the target's publish stage`];
  }
  const problems: string[] = [];
  const { State = 'Active', StateReason, LastUpdateStatus } = configuration;
  if (State === 'Pending' || State === 'Failed') {
    problems.push(`function ${functionName} is ${State}: ${StateReason ?? 'no reason given'}`);
  }
  if (LastUpdateStatus === 'InProgress' || LastUpdateStatus === 'Failed') {
    const reason = configuration.LastUpdateStatusReason ?? 'no reason given';
    problems.push(`the last update of function ${functionName} is ${LastUpdateStatus}: ${reason}`);
  }
  const attached = (configuration.Layers ?? []).map(({ Arn }) => Arn);
  if (!isDeepStrictEqual(attached, [arn])) {
    problems.push(
      `function ${functionName} attaches [${attached.join(', ')}], it must attach exactly ${arn}`,
    );
  }
  // Lambda's default where a function names none.
  const architectures = configuration.Architectures ?? ['x86_64'];
  if (!isDeepStrictEqual(architectures, [layer.architecture])) {
    problems.push(
      `function ${functionName} runs on ${architectures.join(', ')}, the layer is for ${layer.architecture}`,
    );
  }
  return problems;
}

async function checkAnswer(
  lambda: TargetLambda,
  layer: ReleaseLayer,
  functionName: string,
  allowNotRun: boolean,
): Promise<LayerFindings> {
  const event = { smoke: randomUUID() };
  const { functionError, payload } = await lambda.invoke(functionName, event);
  const answer = parseObject(payload);
  if (functionError) {
    const { errorType, errorMessage } = answer ?? {};
    if (allowNotRun && errorType === 'Rehearsal.NotRun') {
      return { problems: [], notRun: String(errorMessage) };
    }
    // Lambda names no type where a function that answered before has taken too long.
    const said = [errorType, errorMessage].filter((part) => part !== undefined).join(': ');
    const what = said || excerpt(payload);
    return { problems: [`function ${functionName} failed: ${what}`] };
  }
  if (!answer) {
    return { problems: [`function ${functionName} answered no JSON object: ${excerpt(payload)}`] };
  }
  const expected = {
    runtime: layer.runtime,
    version: layer.version,
    architecture: layer.architecture,
    event,
  };
  const problems = Object.entries(expected)
    .filter(([field, value]) => !isDeepStrictEqual(answer[field], value))
    .map(([field, value]) => {
      const got = excerpt(JSON.stringify(answer[field]) ?? 'nothing');
      return `function ${functionName} answered ${got} as "${field}", expected ${JSON.stringify(value)}`;
    });
  return { problems };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Record<string, unknown>) : undefined;
}

function excerpt(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
