import { z } from 'zod';
import { LayersError } from '../../../errors';
import type { PipelineEngine } from '../engine';
import type { Pipeline } from '../pipeline';
import * as shapes from './shapes';

/** Account and region that a call is signed for. */
export interface CallerScope {
  readonly account: string;
  readonly region: string;
}

interface Call<Input> {
  readonly engine: PipelineEngine;
  readonly scope: CallerScope;
  readonly input: Input;
  pipeline(name: string): Pipeline;
}

interface Operation {
  readonly input: z.ZodType;
  // biome-ignore lint/suspicious/noExplicitAny: the input's type is the schema's, checked in `operation`
  run(call: Call<any>): unknown;
}

const name = z.string().min(1);
const pipelineName = z.object({ pipelineName: name });
const transition = pipelineName.extend({
  stageName: name,
  transitionType: z.literal('Inbound', 'only inbound transitions can be rehearsed'),
});

function operation<Schema extends z.ZodType>(
  input: Schema,
  run: (call: Call<z.output<Schema>>) => unknown,
): Operation {
  return { input, run };
}

/** The operations of the CodePipeline API that the engine answers, each in one page of results. */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  ListPipelines: operation(z.object({}), ({ engine, scope }) => ({
    pipelines: engine
      .pipelines()
      .filter(({ key }) => key.account === scope.account && key.region === scope.region)
      .map(shapes.pipelineSummary),
  })),
  GetPipeline: operation(z.object({ name }), ({ input, pipeline }) =>
    shapes.pipelineStructure(pipeline(input.name)),
  ),
  GetPipelineState: operation(z.object({ name }), ({ input, pipeline }) =>
    shapes.pipelineState(pipeline(input.name)),
  ),
  ListPipelineExecutions: operation(
    pipelineName.extend({
      maxResults: z.number().int().optional(),
      filter: z.object({ succeededInStage: z.object({ stageName: name }).optional() }).optional(),
    }),
    ({ input, pipeline }) => {
      const stage = input.filter?.succeededInStage?.stageName;
      return {
        pipelineExecutionSummaries: [...pipeline(input.pipelineName).executions]
          .reverse()
          .filter((execution) => !stage || execution.stageRun(stage)?.status === 'Succeeded')
          .slice(0, input.maxResults)
          .map(shapes.executionSummary),
      };
    },
  ),
  GetPipelineExecution: operation(
    pipelineName.extend({ pipelineExecutionId: name }),
    ({ input, pipeline }) =>
      shapes.executionDetail(pipeline(input.pipelineName).execution(input.pipelineExecutionId)),
  ),
  ListActionExecutions: operation(
    pipelineName.extend({
      maxResults: z.number().int().optional(),
      filter: z.object({ pipelineExecutionId: name.optional() }).optional(),
    }),
    ({ input, pipeline }) => {
      const found = pipeline(input.pipelineName);
      const id = input.filter?.pipelineExecutionId;
      const executions = id ? [found.execution(id)] : [...found.executions].reverse();
      return {
        actionExecutionDetails: executions
          .flatMap(shapes.actionExecutionDetails)
          .slice(0, input.maxResults),
      };
    },
  ),
  StartPipelineExecution: operation(
    z.object({ name, variables: z.undefined('cannot be rehearsed').optional() }),
    ({ input, pipeline, scope }) => ({
      pipelineExecutionId: pipeline(input.name).start({
        type: 'StartPipelineExecution',
        detail: `arn:aws:iam::${scope.account}:root`,
      }).id,
    }),
  ),
  StopPipelineExecution: operation(
    pipelineName.extend({
      pipelineExecutionId: name,
      abandon: z.boolean().default(false),
      reason: z.string().max(200).default(''),
    }),
    ({ input, pipeline }) => ({
      pipelineExecutionId: pipeline(input.pipelineName).stop(
        input.pipelineExecutionId,
        input.abandon,
        input.reason,
      ).id,
    }),
  ),
  PutApprovalResult: operation(
    pipelineName.extend({
      stageName: name,
      actionName: name,
      result: z.object({ summary: z.string().max(512), status: z.enum(['Approved', 'Rejected']) }),
      token: name,
    }),
    (call) => putApprovalResult(call),
  ),
  RetryStageExecution: operation(
    pipelineName.extend({
      stageName: name,
      pipelineExecutionId: name,
      retryMode: z.enum(['FAILED_ACTIONS', 'ALL_ACTIONS']),
    }),
    ({ input, pipeline }) => ({
      pipelineExecutionId: pipeline(input.pipelineName).retry(
        input.stageName,
        input.pipelineExecutionId,
        input.retryMode,
      ).id,
    }),
  ),
  DisableStageTransition: operation(
    transition.extend({ reason: z.string().min(1).max(300) }),
    ({ input, pipeline }) => {
      pipeline(input.pipelineName).holdBefore(input.stageName, input.reason);
      return {};
    },
  ),
  EnableStageTransition: operation(transition, ({ input, pipeline }) => {
    pipeline(input.pipelineName).holdBefore(input.stageName, undefined);
    return {};
  }),
  RollbackStage: operation(
    pipelineName.extend({ stageName: name, targetPipelineExecutionId: name }),
    ({ input, pipeline }) => ({
      pipelineExecutionId: pipeline(input.pipelineName).rollback(
        input.stageName,
        input.targetPipelineExecutionId,
      ).id,
    }),
  ),
};

/**
 * Answers one call.
 *
 * @throws LayersError whose code is the API's exception
 */
export function callOperation(
  engine: PipelineEngine,
  scope: CallerScope,
  operationName: string,
  body: unknown,
): unknown {
  const found = OPERATIONS[operationName];
  if (!found) {
    throw new LayersError(
      'UnknownOperationException',
      `${operationName} cannot be rehearsed; available are ${Object.keys(OPERATIONS).join(', ')}`,
    );
  }
  const parsed = found.input.safeParse(body);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`);
    throw new LayersError('ValidationException', problems.join('; '));
  }
  return found.run({
    engine,
    scope,
    input: parsed.data,
    pipeline: (pipelineName) => engine.pipeline({ ...scope, name: pipelineName }),
  });
}

interface ApprovalInput {
  readonly pipelineName: string;
  readonly stageName: string;
  readonly actionName: string;
  readonly token: string;
  readonly result: { readonly summary: string; readonly status: 'Approved' | 'Rejected' };
}

function putApprovalResult({ engine, input, pipeline }: Call<ApprovalInput>): unknown {
  const found = pipeline(input.pipelineName);
  const stage = found.definition.Stages[found.stageIndex(input.stageName)];
  const action = stage?.Actions.find(({ Name }) => Name === input.actionName);
  if (action?.ActionTypeId.Category !== 'Approval') {
    throw new LayersError(
      'ActionNotFoundException',
      `stage ${input.stageName} has no approval action ${input.actionName}`,
    );
  }
  const run = found.runner.latestIn(input.stageName)?.latest(input.stageName, input.actionName);
  if (run?.status !== 'InProgress') {
    throw new LayersError(
      'ApprovalAlreadyCompletedException',
      `approval ${input.actionName} is ${run?.status ?? 'not waiting'}`,
    );
  }
  if (run.token !== input.token || !engine.approvals.answer(input.token, input.result)) {
    throw new LayersError(
      'InvalidApprovalTokenException',
      `the token is not that of approval ${input.actionName}; get-pipeline-state shows it`,
    );
  }
  return { approvedAt: shapes.timestamp(new Date()) };
}
