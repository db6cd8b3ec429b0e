import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LayersError } from '../errors';
import type { Architecture } from '../release';
import { assertMachine, readElfHeader } from './elf';
import type { Runtime } from './runtimes';

/** What stands for the version in a program, and the bytes that it has there, zeros behind it. */
const PLACEHOLDER = Buffer.from('{version}\0');
const ROOM = 32;

/** Path in a runtime's folder of what Lambda starts: a program, or a script for both architectures. */
export function bootstrapPath({ folder }: Runtime, architecture: Architecture): string {
  const program = `bin/${architecture}/bootstrap`;
  return existsSync(join(folder, program)) ? program : 'bootstrap';
}

/** Whether that is a program that assets/bootstrap/build makes. */
export function isOwnProgram({ folder }: Runtime): boolean {
  return existsSync(join(folder, 'bootstrap.c'));
}

/**
 * What Lambda starts in a layer; a program is told the interpreter's version where it asks for it.
 *
 * @throws LayersError `MissingBootstrap`, `InvalidBootstrap`, `NotElf`, `WrongArchitecture`
 */
export function bootstrapFor(
  runtime: Runtime,
  version: string,
  architecture: Architecture,
): Buffer {
  const file = join(runtime.folder, bootstrapPath(runtime, architecture));
  if (!existsSync(file)) {
    throw new LayersError(
      'MissingBootstrap',
      `runtime ${runtime.name} has no file ${file}, and no bin/${architecture}/bootstrap; add one of them`,
    );
  }
  const content = readFileSync(file);
  if (content.toString('latin1', 0, 4) === '\x7fELF') {
    assertMachine(readElfHeader(content, file), architecture, file);
    return withVersion(content, version);
  }
  assertScript(content, file);
  return content;
}

function withVersion(program: Buffer, version: string): Buffer {
  const at = program.indexOf(PLACEHOLDER);
  if (at === -1) return program;
  const filled = Buffer.from(program);
  filled.fill(0, at, at + ROOM);
  filled.write(version, at, ROOM - 1, 'latin1');
  return filled;
}

/** Lambda executes the file: it has to name an interpreter that Linux understands. */
function assertScript(content: Buffer, file: string): void {
  const firstLine = content.toString('latin1').split('\n', 1)[0] as string;
  if (!firstLine.startsWith('#!/')) {
    throw new LayersError(
      'InvalidBootstrap',
      `${file} starts with neither "#!/" nor an ELF header; add an interpreter line`,
    );
  }
  if (firstLine.endsWith('\r')) {
    throw new LayersError(
      'InvalidBootstrap',
      `${file} has Windows line ends; save it with line feeds and keep git from converting it`,
    );
  }
}
