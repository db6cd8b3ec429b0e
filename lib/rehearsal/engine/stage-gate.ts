import type { PipelineDefinition } from './definition';

type ExecutionMode = PipelineDefinition['ExecutionMode'];

/** One execution that waits, and what to do when a newer one overtakes it. */
export interface GateVisitor {
  readonly id: string;
  /** Aborted when the execution must begin nothing more. */
  readonly halted: AbortSignal;
  supersede(): void;
}

/** Inbound transition of a stage: who is inside, and who waits (user guide, "Pipeline execution modes"). */
export class StageGate {
  /** Why nobody may enter; undefined while the transition is enabled. */
  disabledReason: string | undefined;
  private inside: string | undefined;
  private waiting: { readonly visitor: GateVisitor; readonly enter: () => void }[] = [];

  /** Ids of the executions that wait, oldest first. */
  inbound(): string[] {
    return this.waiting.map(({ visitor }) => visitor.id);
  }

  /** Resolves true once inside, false when the visitor was halted before. */
  enter(visitor: GateVisitor, mode: ExecutionMode): Promise<boolean> {
    if (visitor.halted.aborted) return Promise.resolve(false);
    if (this.disabledReason === undefined) {
      if (mode === 'PARALLEL') return Promise.resolve(true);
      if (this.inside === undefined) {
        this.inside = visitor.id;
        return Promise.resolve(true);
      }
    }
    if (mode === 'SUPERSEDED')
      for (const { visitor: older } of [...this.waiting]) older.supersede();
    return new Promise((resolve) => {
      const leave = () => {
        this.waiting = this.waiting.filter((other) => other.visitor !== visitor);
        resolve(false);
      };
      const enter = () => {
        visitor.halted.removeEventListener('abort', leave);
        this.inside = visitor.id;
        resolve(true);
      };
      visitor.halted.addEventListener('abort', leave, { once: true });
      this.waiting.push({ visitor, enter });
    });
  }

  leave(id: string): void {
    if (this.inside !== id) return;
    this.inside = undefined;
    this.admit();
  }

  /** Lets nobody in any more; whoever is inside stays. */
  disable(reason: string): void {
    this.disabledReason = reason;
  }

  enable(mode: ExecutionMode): void {
    this.disabledReason = undefined;
    if (mode === 'PARALLEL') for (const { enter } of this.waiting.splice(0)) enter();
    else this.admit();
  }

  private admit(): void {
    if (this.inside === undefined && this.disabledReason === undefined) {
      this.waiting.shift()?.enter();
    }
  }
}
