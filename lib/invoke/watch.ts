import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** An editor writes a file in several steps. */
const SETTLE_MILLISECONDS = 100;

/** Waits for changes below a folder, and of single files. */
export class Watcher {
  private readonly watchers: FSWatcher[] = [];
  private changed: string | undefined;
  private wake: () => void = () => {};

  constructor(folder: string, files: readonly string[] = []) {
    this.add(watch(folder, { recursive: true }, (_, name) => this.note(name)));
    for (const file of files) {
      // By its folder: many editors put a new file in the place of the old one.
      this.add(
        watch(dirname(file) || '.', (_, name) => {
          if (name === basename(file)) this.note(name);
        }),
      );
    }
  }

  /** The name of something that has changed since the last call, as soon as it has settled. */
  async next(): Promise<string> {
    if (this.changed === undefined) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    await sleep(SETTLE_MILLISECONDS);
    const changed = this.changed as string;
    this.changed = undefined;
    return changed;
  }

  close(): void {
    for (const watcher of this.watchers) watcher.close();
  }

  private add(watcher: FSWatcher): void {
    this.watchers.push(watcher);
  }

  private note(name: string | null): void {
    this.changed = name || 'the folder';
    this.wake();
  }
}
