import { LayersError } from '../../errors';

/** `killed`: its processes are ended. `timed-out`: the same, and it says that its time was over. */
export type ActionFaultKind = 'killed' | 'timed-out';

/** An action that fails although nothing is wrong with it. */
export interface ActionFault {
  /** Name of the action, `Smoke-pilot`. */
  readonly action: string;
  readonly kind: ActionFaultKind;
  /** As many attempts fail. @default all */
  readonly times?: number;
  /**
   * Seconds from the beginning of its proper work (the build phase, the stack's deployment) to the
   * fault. An action that ends before fails at its end: what it did is done, its result is lost.
   * @default 0.5
   */
  readonly afterSeconds?: number;
}

const DEFAULT_AFTER_SECONDS = 0.5;

/** Faults of actions that are to come. */
export class ActionFaults {
  private rules: { readonly fault: ActionFault; met: number }[] = [];

  /** Puts faults in the place of those before. */
  set(faults: readonly ActionFault[]): void {
    this.rules = faults.map((fault) => ({ fault, met: 0 }));
  }

  /** How often each of the present faults has been met, in their order. */
  counts(): number[] {
    return this.rules.map(({ met }) => met);
  }

  /**
   * Runs an action under the fault that waits for it, if one does.
   *
   * @param run gets a signal that the fault aborts, and what to call when the proper work begins
   * @throws LayersError `ActionKilled`, `ActionTimedOut`
   */
  async strike<Result>(
    action: string,
    run: (signal: AbortSignal | undefined, begun: () => void) => Promise<Result>,
  ): Promise<Result> {
    const rule = this.rules.find(
      ({ fault, met }) =>
        fault.action === action && met < (fault.times ?? Number.POSITIVE_INFINITY),
    );
    if (!rule) return run(undefined, () => undefined);
    rule.met++;
    const { kind, afterSeconds = DEFAULT_AFTER_SECONDS } = rule.fault;
    const failure =
      kind === 'killed'
        ? new LayersError('ActionKilled', `action ${action} was killed: a fault that was asked for`)
        : new LayersError(
            'ActionTimedOut',
            `action ${action} did not end within its time: a fault that was asked for`,
          );
    const controller = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const begun = () => {
      timer ??= setTimeout(() => controller.abort(failure), afterSeconds * 1000);
    };
    try {
      await run(controller.signal, begun);
    } catch (error) {
      // Failed by itself before the fault came.
      if (!controller.signal.aborted) throw error;
    } finally {
      clearTimeout(timer);
    }
    throw failure;
  }
}
