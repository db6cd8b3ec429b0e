const undos = new Set<() => void>();
/** What ends a program from outside: Ctrl-C, `kill`, the end of its terminal. */
export const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Does `undo` should Ctrl-C, SIGTERM or the end of the terminal end this process, then lets the
 * signal do what it would have done.
 *
 * @returns to be called when there is nothing to undo any more
 */
export function onInterrupt(undo: () => void): () => void {
  if (undos.size === 0) for (const signal of SIGNALS) process.once(signal, interrupted);
  undos.add(undo);
  return () => {
    undos.delete(undo);
    if (undos.size === 0) for (const signal of SIGNALS) process.off(signal, interrupted);
  };
}

function interrupted(signal: NodeJS.Signals): void {
  for (const undo of undos) undo();
  for (const other of SIGNALS) process.off(other, interrupted);
  process.kill(process.pid, signal);
}
