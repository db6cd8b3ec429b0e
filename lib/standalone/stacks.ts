import {
  Annotations,
  type App,
  CfnWaitConditionHandle,
  type Environment,
  Stack,
} from 'aws-cdk-lib';
import { loadRuntimes, type Runtime } from '../layers';
import { parseLayerArn, parseLayerName } from '../release';
import type { ReleaseFolders } from '../release/prepare';
import type { AppContents } from './contents';
import { ExampleFnStack } from './example-stack';
import { RuntimeLayerStack } from './layer-stack';
import { exampleStackName, layerStackName } from './names';
import { prepareStandalone, type StandalonePlan } from './prepare';

export interface AddStacksOptions {
  readonly folders: Pick<ReleaseFolders, 'layers'>;
  /** Called with one line for what takes long, or should be known. */
  readonly onNotice?: (line: string) => void;
}

/**
 * Adds the standalone stacks that belong to the app's contents: what the flags ask for, all names,
 * or none.
 *
 * @throws LayersError `InvalidFlags` with all problems in one message, and what a build throws
 */
export async function addStacks(
  app: App,
  contents: AppContents,
  { folders, onNotice }: AddStacksOptions,
): Promise<void> {
  if (contents === 'delivery') return;
  // As the CDK CLI knows them; a stack without takes what it is deployed to.
  const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env;
  const env = { account, region };
  const runtimes = loadRuntimes();
  if (contents === 'names') {
    addStackNames(app, runtimes, env);
    return;
  }
  const options = { runtimes, region, layersDir: folders.layers, onNotice };
  addStandaloneStacks(app, await prepareStandalone(app.node.getAllContext(), options), env);
}

/** Adds the stacks that the flags ask for: layers that are built, then the examples on them. */
export function addStandaloneStacks(app: App, plan: StandalonePlan, env: Environment): void {
  const { architecture, createExample, functionUrl, layerArn } = plan.flags;
  for (const { runtime, build } of plan.runtimes) {
    const own = build && new RuntimeLayerStack(app, layerStackName(runtime.name), { build, env });
    const arn = own?.arnForOthers ?? layerArn;
    if (!createExample || arn === undefined) continue;
    if (!own && refuseForeignLayer(app, runtime, arn, env)) continue;
    const example = new ExampleFnStack(app, exampleStackName(runtime.name), {
      runtime,
      architecture,
      layerArn: arn,
      layerName: build?.manifest.name,
      functionUrl,
      env,
    });
    if (own) example.addStackDependency(own, 'the function attaches the layer');
  }
}

/** Adds a stack by every name that there can be, nothing built: enough to list and destroy them. */
export function addStackNames(app: App, runtimes: readonly Runtime[], env: Environment): void {
  for (const { name } of runtimes) {
    // No dependency: destroying the layer's stack leaves the layer, so the example can stay, too.
    for (const id of [layerStackName(name), exampleStackName(name)]) emptyStack(app, id, env);
  }
}

function emptyStack(app: App, id: string, env: Environment): Stack {
  const stack = new Stack(app, id, { env });
  // CDK refuses a template without a resource.
  new CfnWaitConditionHandle(stack, 'Placeholder');
  return stack;
}

/** An error of one stack alone: with the same flag the stack of the right runtime is in order. */
function refuseForeignLayer(app: App, { name }: Runtime, arn: string, env: Environment): boolean {
  const own = parseLayerName(parseLayerArn(arn).name);
  if (!own || own.runtime === name) return false;
  Annotations.of(emptyStack(app, exampleStackName(name), env)).addError(
    `layerArn: "${arn}" is a layer of ${own.runtime}; deploy ${exampleStackName(own.runtime)}, or use a layer of ${name}`,
  );
  return true;
}
