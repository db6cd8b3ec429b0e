import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { killGroup } from '../../processes';

/**
 * Runs the commands that it is told on descriptor 4, one file each, in the shell itself, and
 * answers each one's exit code on descriptor 3. A command that ends the shell leaves the exported
 * variables and the folder in the state file, where the next shell goes on.
 *
 * Descriptor 5 ends with this process, however it ends; then nothing of the build may live on.
 */
const DRIVER = `
__state=$1
( read -r -u 5; kill -s KILL 0 ) 3>&- 4<&- &
disown
exec 5<&-
trap '{ export -p; printf "cd %q\\n" "$PWD"; } > "$__state"' EXIT
if [ -s "$__state" ]; then . "$__state"; fi
while IFS= read -r -u 4 __command; do
  eval "$(<"$__command")" 3>&- 4<&-
  printf '%s\\n' "$?" >&3
done
`;

/** After SIGTERM, processes get this long before SIGKILL, in milliseconds. */
const GRACE = 2_000;

/** What a finished command's exit code is when its shell was killed. */
const KILLED = 137;

/** One bash for all commands of a build: variables, functions and the folder last between them. */
export class BuildShell {
  private child: ChildProcess | undefined;
  private answers: AsyncIterator<string> | undefined;
  private commands = 0;
  private killed = false;
  /** Shells that were started, each the leader of a process group. */
  private readonly children: ChildProcess[] = [];

  /**
   * @param controlDir existing folder for the commands and the state, outside the sources
   * @param output takes stdout and stderr as they come
   */
  constructor(
    private readonly cwd: string,
    private readonly environment: Readonly<Record<string, string>>,
    private readonly controlDir: string,
    private readonly output: (data: Buffer) => void,
  ) {}

  /** Runs one command and answers its exit code; after {@link kill} none is run any more. */
  async run(command: string): Promise<number> {
    const file = join(this.controlDir, `command-${++this.commands}`);
    await writeFile(file, command);
    if (this.killed) return KILLED;
    const child = this.child ?? (await this.start());
    (child.stdio[4] as Writable).write(`${file}\n`);
    const answer = await this.answers?.next();
    if (answer && !answer.done) return Number(answer.value);
    await exited(child);
    this.child = undefined;
    return child.exitCode ?? KILLED;
  }

  /** Values of exported variables; an unset one is the empty string. */
  async exported(names: readonly string[]): Promise<Record<string, string>> {
    const file = join(this.controlDir, 'environment');
    await this.run(`env -0 > '${file.replace(/'/g, "'\\''")}'`);
    const all = new Map(
      (await readFile(file, 'utf8')).split('\0').map((entry) => {
        const at = entry.indexOf('=');
        return [entry.slice(0, at), entry.slice(at + 1)];
      }),
    );
    return Object.fromEntries(names.map((name) => [name, all.get(name) ?? '']));
  }

  /** Ends the shell and whatever it left running, and waits until its output has arrived. */
  async close(): Promise<void> {
    const children = this.children.splice(0);
    this.child = undefined;
    signalGroups(children, 'SIGTERM');
    // A shell that waits for its next command ends at the end of its input; SIGTERM reaches the rest.
    for (const child of children) (child.stdio[4] as Writable).end();
    const kill = setTimeout(() => signalGroups(children, 'SIGKILL'), GRACE);
    await Promise.all(children.map(exited));
    clearTimeout(kill);
    signalGroups(children, 'SIGKILL');
    await Promise.all(children.map(drained));
  }

  /** Kills every process of the build; the pending command ends with it. */
  kill(): void {
    this.killed = true;
    signalGroups(this.children, 'SIGKILL');
  }

  private async start(): Promise<ChildProcess> {
    const state = join(this.controlDir, 'state');
    // `detached` makes a process group, so that everything the commands start can be ended.
    const child = spawn('bash', ['--noprofile', '--norc', '-c', DRIVER, 'build', state], {
      cwd: this.cwd,
      env: this.environment,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
    });
    // At once, so that nothing that ends the build misses it.
    if (child.pid !== undefined) this.children.push(child);
    await once(child, 'spawn');
    child.stdout?.on('data', this.output);
    child.stderr?.on('data', this.output);
    // A shell that is gone shows in its answers; writing to it is no error of its own.
    (child.stdio[4] as Writable).on('error', () => undefined);
    const lines = createInterface({ input: child.stdio[3] as Readable });
    this.answers = lines[Symbol.asyncIterator]();
    this.child = child;
    return child;
  }
}

function signalGroups(children: readonly ChildProcess[], signal: NodeJS.Signals): void {
  for (const { pid } of children) killGroup(pid as number, signal);
}

async function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** Waits for the last output; a daemon that left the process group may hold the pipes for ever. */
async function drained(child: ChildProcess): Promise<void> {
  const streams = [child.stdout, child.stderr] as Readable[];
  const ended = Promise.all(streams.filter((s) => !s.closed).map((s) => once(s, 'close')));
  const timeout = setTimeout(() => {
    for (const stream of streams) stream.destroy();
  }, GRACE);
  await ended;
  clearTimeout(timeout);
}
