import { readFile } from 'node:fs/promises';

/** Zips in memory for as long as somebody still wants to send them: each is read once. */
export class ZipBodies {
  private readonly wanted = new Map<string, number>();
  private readonly bodies = new Map<string, Promise<Buffer>>();

  /** @param files path of each transfer's zip */
  constructor(files: readonly string[]) {
    for (const file of files) this.wanted.set(file, (this.wanted.get(file) ?? 0) + 1);
  }

  /** Hands the content of a file to `send`, and forgets it after its last transfer. */
  async use<Result>(file: string, send: (body: Buffer) => Promise<Result>): Promise<Result> {
    let body = this.bodies.get(file);
    if (!body) {
      body = readFile(file);
      this.bodies.set(file, body);
    }
    try {
      return await send(await body);
    } finally {
      const left = (this.wanted.get(file) ?? 1) - 1;
      this.wanted.set(file, left);
      if (left === 0) this.bodies.delete(file);
    }
  }
}
