import { once } from 'node:events';
import { statSync } from 'node:fs';
import { createServer } from 'node:net';

/** A folder whose maker is not found here is given up after this time, in milliseconds. */
const STALE = 6 * 60 * 60 * 1000;

/**
 * Whether a folder of this user's is left over from a process that has ended. It is old then, too:
 * another container may share the folder but not the process ids.
 */
export function isLeftover(folder: string, maker: number): boolean {
  if (isAlive(maker)) return false;
  const stats = statSync(folder, { throwIfNoEntry: false });
  return (
    stats !== undefined && stats.uid === process.getuid?.() && Date.now() - stats.mtimeMs > STALE
  );
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Signals every process of a group; one that has ended is no error. */
export function killGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Loopback ports that nobody listens on, each another one. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  const ports = await Promise.all(
    servers.map(async (server) => {
      await once(server, 'listening');
      return (server.address() as { port: number }).port;
    }),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
