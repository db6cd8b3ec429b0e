import { createHash } from 'node:crypto';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LayersError } from '../../errors';
import { once } from './cache';
import { run, runOrThrow } from './command';

const REQUIREMENTS = join(__dirname, 'python.txt');
/** MiniStack's own lower bound. */
const OLDEST_MINOR = 10;
const CANDIDATES = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10'];

/** Settings that would send packages elsewhere than into the virtual environment. */
const STRAY = ['PIP_USER', 'PIP_TARGET', 'PIP_PREFIX', 'PIP_ROOT', 'PYTHONHOME', 'PYTHONPATH'];

/** The environment for pip and Python: the user's proxies, mirrors and certificates stay. */
export function pythonEnvironment(): NodeJS.ProcessEnv {
  const env = { ...process.env, PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_NO_INPUT: '1' };
  for (const name of STRAY) delete (env as NodeJS.ProcessEnv)[name];
  return env;
}

/**
 * A virtual environment with MiniStack and the AWS CLI, every file checked against its hash.
 *
 * @returns path of the environment
 */
export async function ensurePython(onProgress: (message: string) => void): Promise<string> {
  const python = await findPython();
  const requirements = await readFile(REQUIREMENTS);
  const key = createHash('sha256').update(requirements).update(python.build).digest('hex');
  return once(`python-${key.slice(0, 16)}`, async (temporary) => {
    onProgress(`installing MiniStack and the AWS CLI with Python ${python.version}`);
    const made = await run(python.path, ['-m', 'venv', temporary], { env: pythonEnvironment() });
    if (made.status !== 0) throw noVenv(python, made.stdout + made.stderr);
    await runOrThrow(
      'PythonPackagesFailed',
      'installing the Python packages of lib/rehearsal/tools/python.txt',
      join(temporary, 'bin', 'python'),
      ['-m', 'pip', 'install', '--quiet', '--no-deps', '--require-hashes', '-r', REQUIREMENTS],
      { env: pythonEnvironment() },
    );
    // The scripts that pip wrote name the temporary folder; the one that is used is ours.
    const aws = join(temporary, 'bin', 'aws');
    await writeFile(aws, '#!/bin/sh\nexec "$(dirname "$0")/python" -I -m awscli "$@"\n');
    await chmod(aws, 0o755);
  });
}

/** A Python that has pip: the system's, or the one of the virtual environment. */
export async function pythonWithPip(onProgress: (message: string) => void): Promise<string> {
  const { path } = await findPython();
  const pip = await run(path, ['-m', 'pip', '--version'], { env: pythonEnvironment() });
  return pip.status === 0 ? path : join(await ensurePython(onProgress), 'bin', 'python');
}

interface Python {
  readonly path: string;
  readonly version: string;
  /** Changes whenever an environment made with another Python would not fit. */
  readonly build: string;
}

async function findPython(): Promise<Python> {
  const tooOld: string[] = [];
  const question =
    'import sys, sysconfig; print(sys.executable, "%d.%d.%d" % sys.version_info[:3], sys.base_prefix, sysconfig.get_platform(), sep="\\n")';
  for (const candidate of CANDIDATES) {
    const answer = await run(candidate, ['-I', '-c', question], { env: pythonEnvironment() });
    if (answer.status !== 0) continue;
    const [path, version, prefix, platform] = answer.stdout.trim().split('\n');
    const [major, minor] = version.split('.').map(Number);
    if (major === 3 && minor >= OLDEST_MINOR) {
      return { path, version, build: `${major}.${minor} ${prefix} ${platform}` };
    }
    tooOld.push(`${candidate} is ${version}`);
  }
  if (tooOld.length > 0) {
    throw new LayersError(
      'PythonTooOld',
      `the rehearsal needs Python 3.${OLDEST_MINOR} or newer, and ${tooOld.join(', ')}: install a newer one, for example \`apt-get install python3.12 python3.12-venv\``,
    );
  }
  throw new LayersError(
    'PythonMissing',
    `the rehearsal needs Python 3.${OLDEST_MINOR} or newer, and no python3 is on PATH: install it, on Debian and Ubuntu with \`apt-get install python3 python3-venv\``,
  );
}

function noVenv(python: Python, said: string): LayersError {
  if (/ensurepip|No module named venv/.test(said)) {
    const [major, minor] = python.version.split('.');
    return new LayersError(
      'PythonVenvMissing',
      `${python.path} cannot make virtual environments: install them with \`apt-get install python3-venv\` (or \`python${major}.${minor}-venv\`)`,
    );
  }
  return new LayersError(
    'PythonVenvFailed',
    `\`${python.path} -m venv\` failed: ${said.trim().split('\n').slice(-3).join('\n')}`,
  );
}
