import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import {
  configFromContext,
  exampleValues,
  overridesFromEnvironment,
  overridesIn,
} from '../lib/config';
import { describeError } from '../lib/errors';
import { DeliveryPipelineStack } from '../lib/pipeline';
import { planDelivery, releasePlan } from '../lib/plan';
import { prepareRelease, releaseFolders, writeReleasePlan } from '../lib/release/prepare';

async function main(): Promise<void> {
  const app = new App();
  const context = app.node.getAllContext();
  const overrides = { ...overridesFromEnvironment(), ...overridesIn(context) };
  const config = configFromContext(context.delivery, overrides);
  const folders = releaseFolders();
  const { layers, examples } = await prepareRelease(config, folders, (missing) =>
    console.error(`building ${missing.join(', ')}`),
  );
  const plan = planDelivery(config, layers, examples);
  writeReleasePlan(releasePlan(plan), folders);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app, { verbose: true }));
  new DeliveryPipelineStack(app, 'Delivery', { plan, overrides, refusals: exampleValues(config) });
  app.synth();
}

main().catch((error) => {
  console.error(describeError(error));
  process.exitCode = 1;
});
