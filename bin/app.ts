import './environment';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import * as config from '../lib/config';
import { DeliveryPipelineStack } from '../lib/pipeline';
import { planDelivery, releasePlan } from '../lib/plan';
import { runProgram } from '../lib/program';
import { prepareRelease, releaseFolders, writeReleasePlan } from '../lib/release/prepare';
import * as standalone from '../lib/standalone';

const app = new App();
const context = app.node.getAllContext();
const folders = releaseFolders();
const say = (line: string) => console.error(line);

async function delivery(names: boolean): Promise<void> {
  const overrides = { ...config.overridesFromEnvironment(), ...config.overridesIn(context) };
  const delivery = config.configFromContext(context.delivery, overrides);
  const { layers, examples } = names
    ? standalone.placeholderRelease(delivery, folders)
    : await prepareRelease(delivery, folders, (missing) => say(`building ${missing.join(', ')}`));
  const plan = planDelivery(delivery, layers, examples);
  if (!names) await writeReleasePlan(releasePlan(plan), folders);
  const refusals = names ? [] : config.exampleValues(delivery);
  new DeliveryPipelineStack(app, 'Delivery', { plan, overrides, refusals });
}

async function main(): Promise<void> {
  const contents = standalone.appContents(context);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app, { verbose: true }));
  if (contents === 'delivery') await delivery(false);
  if (contents === 'names' && context.delivery !== undefined) await delivery(true);
  await standalone.addStacks(app, contents, { folders, onNotice: say });
  app.synth();
}

runProgram(main);
