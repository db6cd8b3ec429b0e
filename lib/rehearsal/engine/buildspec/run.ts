import { LayersError } from '../../../errors';
import type { BuildShell } from './shell';
import type { BuildPhase, Buildspec, PhaseName } from './spec';

/** Tells later commands, those of finally blocks and of post_build, that the build is failing. */
const FAILING = 'export CODEBUILD_BUILD_SUCCEEDING=0';

/** First command that failed, as the failure message names it. */
export interface CommandFailure {
  readonly phase: string;
  readonly command: string;
  readonly exitCode: number;
}

/**
 * Runs the phases of a buildspec in CodeBuild's order: a failed install or pre_build ends the
 * build, a failed build still runs post_build (CodeBuild user guide, "Build phase transitions").
 *
 * @param note takes one line for the log
 * @throws LayersError BuildFailed with the first failed command, its exit code and phase
 */
export async function runPhases(
  spec: Buildspec,
  shell: Pick<BuildShell, 'run'>,
  signal: AbortSignal,
  note: (line: string) => void,
): Promise<void> {
  let failure: CommandFailure | undefined;
  const order: readonly PhaseName[] = ['install', 'pre_build', 'build', 'post_build'];
  for (const name of order) {
    const phase = spec.phases[name];
    if (!phase) continue;
    const label = name.toUpperCase();
    note(`Entering phase ${label}`);
    if (phase['runtime-versions']) {
      note('runtime-versions: ignored, the runtimes of this machine serve');
    }
    const failed = await runPhase(phase, label, shell, signal, note);
    note(`Phase complete: ${label} State: ${failed ? 'FAILED' : 'SUCCEEDED'}`);
    if (!failed || phase['on-failure'] === 'CONTINUE') continue;
    failure ??= failed;
    if (name !== 'build' || phase['on-failure'] === 'ABORT') break;
  }
  if (!failure) return;
  throw new LayersError(
    'BuildFailed',
    `phase ${failure.phase}: command exited with ${failure.exitCode}: ${failure.command.trim()}`,
  );
}

async function runPhase(
  phase: BuildPhase,
  label: string,
  shell: Pick<BuildShell, 'run'>,
  signal: AbortSignal,
  note: (line: string) => void,
): Promise<CommandFailure | undefined> {
  const runAll = async (commands: readonly string[]): Promise<CommandFailure | undefined> => {
    for (const command of commands) {
      signal.throwIfAborted();
      note(`Running command ${command}`);
      const exitCode = await shell.run(command);
      signal.throwIfAborted();
      if (exitCode !== 0) {
        note(`Command did not exit successfully ${command} exit status ${exitCode}`);
        if (phase['on-failure'] !== 'CONTINUE') await shell.run(FAILING);
        return { phase: label, command, exitCode };
      }
    }
    return undefined;
  };
  const failure = await runAll(phase.commands);
  const failedFinally = await runAll(phase.finally);
  return failure ?? failedFinally;
}
