import { App } from 'aws-cdk-lib';
import type { Template } from 'aws-cdk-lib/assertions';
import { context } from '../../cdk.json';
import { DeliveryPipelineStack, type DeliveryPipelineStackProps } from '../../lib/pipeline';
import { type DeliveryPlan, planStages } from '../../lib/plan';
import { temporaryFolder } from '../temporary-folder';
import { planOf } from './fixture';

export function stackOf(props: Partial<DeliveryPipelineStackProps> = {}) {
  const app = new App({ context, outdir: temporaryFolder() });
  const stack = new DeliveryPipelineStack(app, 'Delivery', { plan: planOf(), ...props });
  return { app, stack };
}

export interface Action {
  Name: string;
  RunOrder: number;
  Region?: string;
  ActionTypeId: { Provider: string };
  InputArtifacts?: { Name: string }[];
  Configuration?: Record<string, string>;
}
export interface Stage {
  Name: string;
  OnFailure?: { Result: string; RetryConfiguration?: { RetryMode: string } };
  Actions: Action[];
}

export function stagesOf(template: Template): Stage[] {
  const [pipeline] = Object.values(template.findResources('AWS::CodePipeline::Pipeline'));
  return pipeline.Properties.Stages;
}

/** Stages, and actions with run order, provider and region. */
export function layoutOf(stages: Stage[]): string {
  const lines = stages.flatMap(({ Name, Actions }) => [
    Name,
    ...Actions.map(
      ({ RunOrder, Name, ActionTypeId, Region }) =>
        `  ${RunOrder} ${Name} ${ActionTypeId.Provider}${Region ? ` ${Region}` : ''}`,
    ).sort(),
  ]);
  return lines.join('\n');
}

/** What the plan says of the same stages, without provider and region. */
export function plannedLayout(plan: DeliveryPlan): string[][] {
  return planStages(plan).map(({ name, actions }) => [
    name,
    ...actions.map((action) => `${action.runOrder} ${action.name}`).sort(),
  ]);
}

export function renderedLayout(stages: Stage[]): string[][] {
  return stages.map(({ Name, Actions }) => [
    Name,
    ...Actions.map((action) => `${action.RunOrder} ${action.Name}`).sort(),
  ]);
}
