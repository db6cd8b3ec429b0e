import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LayersError } from '../errors';
import type { Architecture } from '../release';
import { readOwnElf } from './elf';
import type { Runtime } from './runtimes';

/** What a program holds where it wants the version: text in a field of 32 bytes, zeros behind it. */
const PLACEHOLDER = Buffer.alloc(32);
PLACEHOLDER.write('{version}');

/** Path in a runtime's folder of what Lambda starts: a program, or a script for both architectures. */
export function bootstrapPath({ folder }: Runtime, architecture: Architecture): string {
  const program = `bin/${architecture}/bootstrap`;
  return existsSync(join(folder, program)) ? program : 'bootstrap';
}

/** Whether that is a program that assets/bootstrap/build makes. */
export function ownProgram({ folder }: Runtime): boolean {
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
  const script = join(runtime.folder, 'bootstrap');
  const file = join(runtime.folder, bootstrapPath(runtime, architecture));
  if (!existsSync(file)) {
    throw new LayersError(
      'MissingBootstrap',
      `runtime ${runtime.name} has no file ${script}, and no bin/${architecture}/bootstrap; add one of them`,
    );
  }
  if (file !== script && existsSync(script)) {
    throw new LayersError(
      'InvalidBootstrap',
      `runtime ${runtime.name} has both ${script} and ${file}; remove one of them`,
    );
  }
  const content = readFileSync(file);
  if (content.toString('latin1', 0, 4) === '\x7fELF') {
    readOwnElf(content, architecture, file);
    return withVersion(content, version);
  }
  assertScript(content, file);
  return content;
}

function withVersion(program: Buffer, version: string): Buffer {
  const at = program.indexOf(PLACEHOLDER);
  if (at === -1) return program;
  const filled = Buffer.from(program);
  filled.fill(0, at, at + PLACEHOLDER.length);
  filled.write(version, at, PLACEHOLDER.length - 1, 'latin1');
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
