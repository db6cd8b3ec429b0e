import { setTimeout as sleep } from 'node:timers/promises';
import {
  ApprovalAlreadyCompletedException,
  type ArtifactDetail,
  CodePipelineClient,
  GetPipelineStateCommand,
  InvalidApprovalTokenException,
  ListActionExecutionsCommand,
  PipelineExecutionNotStoppableException,
  PutApprovalResultCommand,
  StopPipelineExecutionCommand,
} from '@aws-sdk/client-codepipeline';
import { LayersError } from '../../errors';
import type { CloudState } from '../daemon';
import type { ActionFault, Commit, EngineEvent, ExecutionReport } from '../engine';

/** Longest wait for executions that were stopped. */
const END_MILLISECONDS = 20_000;

const isActive = ({ status }: ExecutionReport) => ['InProgress', 'Stopping'].includes(status);

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

  /** Sequence number of the newest event; 0 before the first. */
  async lastEvent(): Promise<number> {
    const response = await fetch(`${this.cloud.engineUrl}/rehearsal/last-event`);
    return ((await response.json()) as { sequence: number }).sequence;
  }

  /**
   * Events after `since`, until the signal aborts.
   *
   * @throws LayersError LocalCloudEnded
   */
  async *events(since: number, signal: AbortSignal): AsyncGenerator<EngineEvent> {
    try {
      const response = await fetch(`${this.cloud.engineUrl}/rehearsal/events?since=${since}`, {
        signal,
      });
      const decoder = new TextDecoder();
      let rest = '';
      for await (const chunk of response.body ?? []) {
        const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines.filter(Boolean)) yield JSON.parse(line);
      }
    } catch (cause) {
      if (signal.aborted) return;
      throw new LayersError(
        'LocalCloudEnded',
        `the local cloud, process ${this.cloud.pid}, has ended: somebody or something killed it, such as a machine without free memory; rehearse again`,
        { cause },
      );
    }
  }

  /** Answers a waiting approval through CodePipeline's own API; nothing where it waits no longer. */
  async answerApproval(
    event: Pick<EngineEvent, 'pipeline' | 'stage' | 'action'>,
    approved: boolean,
  ): Promise<void> {
    const client = this.codePipeline(event.pipeline);
    const token = await this.approvalToken(client, event);
    if (token === undefined) return;
    try {
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
    } catch (error) {
      // Somebody else was quicker, or it timed out.
      const isOver =
        error instanceof ApprovalAlreadyCompletedException ||
        error instanceof InvalidApprovalTokenException;
      if (!isOver) throw error;
    }
  }

  /** Ends every execution that runs, with the programs of its actions, and waits for that. */
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
    const deadline = Date.now() + END_MILLISECONDS;
    while (Date.now() < deadline && (await this.executions()).some(isActive)) await sleep(50);
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

  /**
   * The action has begun when its event comes, but its token may follow a moment later. Undefined
   * when the action has ended.
   */
  private async approvalToken(
    client: CodePipelineClient,
    { pipeline, stage, action }: Pick<EngineEvent, 'pipeline' | 'stage' | 'action'>,
  ): Promise<string | undefined> {
    for (let attempt = 0; attempt < 50; attempt++) {
      const state = await client.send(new GetPipelineStateCommand({ name: pipeline.name }));
      const latest = state.stageStates
        ?.find(({ stageName }) => stageName === stage)
        ?.actionStates?.find(({ actionName }) => actionName === action)?.latestExecution;
      if (latest && (latest.token || latest.status !== 'InProgress')) return latest.token;
      await sleep(100);
    }
    throw new LayersError('NoApprovalToken', `approval ${action} of stage ${stage} has no token`);
  }
}
