export type { ActionFault, ActionFaultKind } from './action-faults';
export type { Concurrency } from './action-runner';
export type { SdkConfig } from './credentials';
export { PipelineEngine, type PipelineEngineOptions } from './engine';
export type {
  ActionReport,
  ActionStatus,
  Commit,
  EngineEvent,
  ExecutionReport,
  ExecutionStatus,
  PipelineKey,
  StageReport,
  StageStatus,
  Trigger,
  TriggerType,
} from './model';
export type { RunningServer } from './server';
