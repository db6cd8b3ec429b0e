import type { EngineEvent } from './model';

/** Every change of state since the start, for late listeners too. */
export class EventLog {
  private readonly events: EngineEvent[] = [];
  private readonly listeners = new Set<(event: EngineEvent) => void>();

  emit(event: Omit<EngineEvent, 'sequence' | 'time'>): void {
    const full = { sequence: this.events.length + 1, time: new Date().toISOString(), ...event };
    this.events.push(full);
    for (const listener of this.listeners) listener(full);
  }

  since(sequence = 0): readonly EngineEvent[] {
    return this.events.slice(sequence);
  }

  /** Hands over every event after `sequence`, then each new one; answers how to end it. */
  subscribe(listener: (event: EngineEvent) => void, sequence = 0): () => void {
    for (const event of this.since(sequence)) listener(event);
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
