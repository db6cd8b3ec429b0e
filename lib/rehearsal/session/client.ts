import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ArtifactDetail,
  CodePipelineClient,
  GetPipelineStateCommand,
  ListActionExecutionsCommand,
  PipelineExecutionNotStoppableException,
  PutApprovalResultCommand,
  StopPipelineExecutionCommand,
} from '@aws-sdk/client-codepipeline';
import { LayersError } from '../../errors';
import type { CloudState } from '../daemon';
import type { ActionFault, Commit, EngineEvent, ExecutionReport } from '../engine';

/** The rehearsal's side of the engine's HTTP paths. */
export class EngineClient {
  constructor(private readonly cloud: CloudState) {}

  async push(commit: Commit): Promise<string[]> {
    const response = await fetch(`${this.cloud.engineUrl}/rehearsal/push`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(commit),
    });
    const body = (await response.json()) as { executionIds: string[]; message?: string };
    if (!response.ok) throw new LayersError('PushRefused', body.message ?? response.statusText);
    return body.executionIds;
  }

  async executions(): Promise<ExecutionReport[]> {
    const response = await fetch(`${this.cloud.engineUrl}/rehearsal/executions`);
    return ((await response.json()) as { executions: ExecutionReport[] }).executions;
  }

  /** Actions that fail from now on, in place of those before. */
  async setFaults(faults: readonly ActionFault[]): Promise<void> {
    await fetch(`${this.cloud.engineUrl}/rehearsal/faults`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ faults }),
    });
  }

  /** How often each of them has been met, in their order. */
  async countFaults(): Promise<readonly number[]> {
    const response = await fetch(`${this.cloud.engineUrl}/rehearsal/faults`);
    return ((await response.json()) as { met: number[] }).met;
  }

  /** Sequence number of the newest event. */
  async lastEvent(): Promise<number> {
    const abort = new AbortController();
    let last = 0;
    // The stream replays what has happened at once, and then waits.
    const timer = setTimeout(() => abort.abort(), 300);
    try {
      for await (const event of this.events(0, abort.signal)) last = event.sequence;
    } finally {
      clearTimeout(timer);
    }
    return last;
  }

  /** Events after `since`, until the signal aborts. */
  async *events(since: number, signal: AbortSignal): AsyncGenerator<EngineEvent> {
    try {
      const response = await fetch(`${this.cloud.engineUrl}/rehearsal/events?since=${since}`, {
        signal,
      });
      let rest = '';
      for await (const chunk of response.body ?? []) {
        const lines = (rest + Buffer.from(chunk).toString('utf8')).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines.filter(Boolean)) yield JSON.parse(line);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Answers a waiting approval through CodePipeline's own API. */
  async answerApproval(
    event: Pick<EngineEvent, 'pipeline' | 'stage' | 'action'>,
    approved: boolean,
  ): Promise<void> {
    const client = this.codePipeline(event.pipeline);
    const token = await this.approvalToken(client, event);
    await client.send(
      new PutApprovalResultCommand({
        pipelineName: event.pipeline.name,
        stageName: event.stage,
        actionName: event.action,
        token,
        result: {
          status: approved ? 'Approved' : 'Rejected',
          summary: approved ? 'Approved in rehearsal' : 'Rejected in rehearsal',
        },
      }),
    );
  }

  /** Ends every execution that runs, with the programs of its actions. */
  async stopExecutions(): Promise<void> {
    for (const { id, pipeline, status } of await this.executions()) {
      if (status !== 'InProgress') continue;
      try {
        await this.codePipeline(pipeline).send(
          new StopPipelineExecutionCommand({
            pipelineName: pipeline.name,
            pipelineExecutionId: id,
            abandon: true,
            reason: 'the rehearsal was interrupted',
          }),
        );
      } catch (error) {
        // It ended in the meantime.
        if (!(error instanceof PipelineExecutionNotStoppableException)) throw error;
      }
    }
  }

  /** Artifacts that the actions of an execution have written so far. */
  async outputArtifacts({
    id,
    pipeline,
  }: Pick<ExecutionReport, 'id' | 'pipeline'>): Promise<ArtifactDetail[]> {
    const { actionExecutionDetails = [] } = await this.codePipeline(pipeline).send(
      new ListActionExecutionsCommand({
        pipelineName: pipeline.name,
        filter: { pipelineExecutionId: id },
      }),
    );
    return actionExecutionDetails.flatMap(({ output }) => output?.outputArtifacts ?? []);
  }

  private codePipeline({ account, region }: EngineEvent['pipeline']): CodePipelineClient {
    return new CodePipelineClient({
      endpoint: this.cloud.engineUrl,
      region,
      credentials: { accessKeyId: account, secretAccessKey: 'rehearsal' },
    });
  }

  /** The action has begun when its event comes, but its token may follow a moment later. */
  private async approvalToken(
    client: CodePipelineClient,
    { pipeline, stage, action }: Pick<EngineEvent, 'pipeline' | 'stage' | 'action'>,
  ): Promise<string> {
    for (let attempt = 0; attempt < 50; attempt++) {
      const state = await client.send(new GetPipelineStateCommand({ name: pipeline.name }));
      const token = state.stageStates
        ?.find(({ stageName }) => stageName === stage)
        ?.actionStates?.find(({ actionName }) => actionName === action)?.latestExecution?.token;
      if (token) return token;
      await sleep(100);
    }
    throw new LayersError('NoApprovalToken', `approval ${action} of stage ${stage} has no token`);
  }
}
