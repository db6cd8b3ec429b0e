import type { ActionDefinition, ArtifactStore } from '../definition';
import type { Execution } from '../execution';
import type { ActionRun, TriggerType } from '../model';
import type { Pipeline } from '../pipeline';

/** The engine's state in the shapes of the CodePipeline API reference. */

/** JSON protocol 1.1 writes times as seconds since 1970. */
export function timestamp(time: Date): number {
  return time.getTime() / 1000;
}

/** Triggers that the API has no name for, by the one that AWS shows in their place. */
const TRIGGER_NAMES: Partial<Record<TriggerType, string>> = {
  Push: 'WebhookV2',
  PipelineUpdate: 'StartPipelineExecution',
};

export function pipelineSummary({ key, definition, version, created, updated }: Pipeline) {
  return {
    name: key.name,
    version,
    pipelineType: definition.PipelineType,
    executionMode: definition.ExecutionMode,
    created: timestamp(created),
    updated: timestamp(updated),
  };
}

export function pipelineStructure({ key, definition, version, created, updated }: Pipeline) {
  const stores = definition.ArtifactStores?.map(
    ({ Region, ArtifactStore }) => [Region, artifactStore(ArtifactStore)] as const,
  );
  return {
    pipeline: {
      name: key.name,
      roleArn: definition.RoleArn,
      ...(definition.ArtifactStore && { artifactStore: artifactStore(definition.ArtifactStore) }),
      ...(stores && { artifactStores: Object.fromEntries(stores) }),
      stages: definition.Stages.map((stage) => ({
        name: stage.Name,
        actions: stage.Actions.map(actionDeclaration),
        ...(stage.OnFailure && {
          onFailure: {
            result: stage.OnFailure.Result,
            ...(stage.OnFailure.RetryConfiguration && {
              retryConfiguration: { retryMode: stage.OnFailure.RetryConfiguration.RetryMode },
            }),
          },
        }),
      })),
      version,
      executionMode: definition.ExecutionMode,
      pipelineType: definition.PipelineType,
    },
    metadata: {
      pipelineArn: pipelineArn(key.account, key.region, key.name),
      created: timestamp(created),
      updated: timestamp(updated),
    },
  };
}

export function pipelineState(pipeline: Pipeline) {
  const { key, definition, version, runner } = pipeline;
  return {
    pipelineName: key.name,
    pipelineVersion: version,
    stageStates: definition.Stages.map((stage) => {
      const execution = runner.latestIn(stage.Name);
      const disabledReason = runner.disabledReasonOf(stage.Name);
      const inbound = runner.inboundOf(stage.Name).map((id) => ({
        pipelineExecutionId: id,
        status: 'InProgress',
      }));
      return {
        stageName: stage.Name,
        inboundTransitionState: {
          enabled: disabledReason === undefined,
          ...(disabledReason !== undefined && { disabledReason }),
        },
        ...(inbound[0] && { inboundExecution: inbound[0], inboundExecutions: inbound }),
        actionStates: stage.Actions.map((action) => {
          const run = execution?.latest(stage.Name, action.Name);
          return {
            actionName: action.Name,
            ...(run && { latestExecution: latestAction(run) }),
            ...(run?.externalEntityUrl && { entityUrl: run.externalEntityUrl }),
          };
        }),
        ...(execution && {
          latestExecution: {
            pipelineExecutionId: execution.id,
            status: execution.stageRun(stage.Name)?.status,
            type: execution.rollbackTarget ? 'ROLLBACK' : 'STANDARD',
          },
        }),
      };
    }),
    created: timestamp(pipeline.created),
    updated: timestamp(pipeline.updated),
  };
}

export function executionSummary(execution: Execution) {
  return {
    pipelineExecutionId: execution.id,
    status: execution.status,
    ...(execution.message && { statusSummary: execution.message }),
    startTime: timestamp(execution.startTime),
    lastUpdateTime: timestamp(execution.lastUpdateTime),
    sourceRevisions: execution.sourceRevisions.map(({ actionName, ...revision }) => ({
      actionName,
      revisionId: revision.revisionId,
      revisionSummary: revision.revisionSummary,
    })),
    ...executionCommon(execution),
  };
}

export function executionDetail(execution: Execution) {
  return {
    pipelineExecution: {
      pipelineName: execution.pipeline.name,
      pipelineVersion: execution.version,
      pipelineExecutionId: execution.id,
      status: execution.status,
      ...(execution.message && { statusSummary: execution.message }),
      artifactRevisions: [...execution.artifacts.values()]
        .filter(({ revision }) => revision)
        .map(({ name, revision }) => ({ name, revisionId: revision })),
      ...executionCommon(execution),
    },
  };
}

/** Newest first, as AWS lists them. */
export function actionExecutionDetails(execution: Execution) {
  return [...execution.actions].reverse().map((run) => ({
    pipelineExecutionId: execution.id,
    actionExecutionId: run.id,
    pipelineVersion: execution.version,
    stageName: run.stage,
    actionName: run.name,
    startTime: timestamp(run.startTime),
    lastUpdateTime: timestamp(run.lastUpdateTime),
    status: run.status,
    input: {
      actionTypeId: actionType(run.category, run.provider),
      configuration: execution.definition.Stages.find(
        ({ Name }) => Name === run.stage,
      )?.Actions.find(({ Name }) => Name === run.name)?.Configuration,
      resolvedConfiguration: run.configuration,
      roleArn: run.role,
      region: run.region,
      inputArtifacts: run.inputArtifacts.map((name) => artifactDetail(execution, run, name)),
      ...(run.namespace && { namespace: run.namespace }),
    },
    output: {
      outputArtifacts: run.outputArtifacts.map((name) => artifactDetail(execution, run, name)),
      executionResult: {
        externalExecutionSummary: run.message,
        ...(run.externalExecutionId && { externalExecutionId: run.externalExecutionId }),
        ...(run.errorCode && { errorDetails: { code: run.errorCode, message: run.message } }),
      },
      outputVariables: run.outputVariables,
    },
  }));
}

function executionCommon({ trigger, definition, rollbackTarget }: Execution) {
  return {
    trigger: {
      triggerType: TRIGGER_NAMES[trigger.type] ?? trigger.type,
      triggerDetail: trigger.detail,
    },
    executionMode: definition.ExecutionMode,
    executionType: rollbackTarget ? 'ROLLBACK' : 'STANDARD',
    ...(rollbackTarget && {
      rollbackMetadata: { rollbackTargetPipelineExecutionId: rollbackTarget.id },
    }),
  };
}

function latestAction(run: ActionRun) {
  return {
    actionExecutionId: run.id,
    status: run.status,
    lastStatusChange: timestamp(run.lastUpdateTime),
    ...(run.message && { summary: run.message }),
    ...(run.token && { token: run.token }),
    ...(run.externalExecutionId && { externalExecutionId: run.externalExecutionId }),
    ...(run.errorCode && { errorDetails: { code: run.errorCode, message: run.message } }),
  };
}

function actionDeclaration(action: ActionDefinition) {
  const { Category, Provider } = action.ActionTypeId;
  return {
    name: action.Name,
    actionTypeId: actionType(Category, Provider),
    runOrder: action.RunOrder,
    configuration: action.Configuration,
    outputArtifacts: action.OutputArtifacts.map(({ Name }) => ({ name: Name })),
    inputArtifacts: action.InputArtifacts.map(({ Name }) => ({ name: Name })),
    ...(action.RoleArn && { roleArn: action.RoleArn }),
    ...(action.Region && { region: action.Region }),
    ...(action.Namespace && { namespace: action.Namespace }),
    ...(action.TimeoutInMinutes && { timeoutInMinutes: action.TimeoutInMinutes }),
  };
}

function artifactStore({ Location, EncryptionKey, Type }: ArtifactStore) {
  return {
    type: Type,
    location: Location,
    ...(EncryptionKey && { encryptionKey: { id: EncryptionKey.Id, type: EncryptionKey.Type } }),
  };
}

function actionType(category: string, provider: string) {
  return { category, owner: 'AWS', provider, version: '1' };
}

function artifactDetail({ artifacts }: Execution, { region }: ActionRun, name: string) {
  const location = artifacts.get(name)?.locations.get(region);
  return { name, ...(location && { s3location: location }) };
}

/** `arn:aws` in the emulated partition. */
function pipelineArn(account: string, region: string, name: string): string {
  return `arn:aws:codepipeline:${region}:${account}:${name}`;
}
