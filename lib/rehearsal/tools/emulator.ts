import { chmod, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readZipEntry } from '../../archive';
import { LayersError } from '../../errors';
import { sha256Hex } from '../../hash';
import type { Architecture } from '../../release';
import { once } from './cache';
import { runOrThrow } from './command';
import { pythonEnvironment, pythonWithPip } from './python';

const REQUIREMENTS = join(__dirname, 'emulator.txt');

/** SHA-256 of the binaries in the wheel that emulator.txt pins (Apache-2.0). */
const SHA256: Record<Architecture, string> = {
  arm64: 'ec2e5d09633d853834c008b1ef264bf834b258a94d551d2b2074966494b39a21',
  x86_64: '6b1e686e62ab2baf5759c412c4864276ef2a88b094fca53ec070637ccba9b9a5',
};

/**
 * AWS's Runtime Interface Emulator, out of the wheel of aws-sam-cli.
 *
 * @returns path of the binary
 * @see https://github.com/aws/aws-lambda-runtime-interface-emulator
 */
export async function ensureEmulator(
  native: Architecture,
  onProgress: (message: string) => void,
): Promise<string> {
  const name = `aws-lambda-rie-${native}`;
  const folder = await once(`rie-${SHA256[native].slice(0, 16)}`, async (temporary) => {
    onProgress('downloading the Lambda Runtime Interface Emulator');
    await runOrThrow(
      'EmulatorDownloadFailed',
      'downloading the Runtime Interface Emulator (aws-sam-cli)',
      await pythonWithPip(onProgress),
      [
        '-m',
        'pip',
        'download',
        '--quiet',
        '--no-deps',
        '--only-binary=:all:',
        '--require-hashes',
        '-r',
        REQUIREMENTS,
        '-d',
        temporary,
      ],
      { env: pythonEnvironment() },
    );
    const [wheel] = (await readdir(temporary)).filter((file) => file.endsWith('.whl'));
    const binary = await readZipEntry(join(temporary, wheel), `samcli/local/rapid/${name}`);
    if (!binary) throw new LayersError('EmulatorMissing', `${wheel} has no ${name}`);
    const sha256 = sha256Hex(binary);
    if (sha256 !== SHA256[native]) {
      throw new LayersError(
        'EmulatorIntegrity',
        `${name} has sha256 ${sha256} and ${SHA256[native]} is pinned in lib/rehearsal/tools/emulator.ts`,
      );
    }
    await rm(join(temporary, wheel));
    await writeFile(join(temporary, name), binary);
    await chmod(join(temporary, name), 0o755);
  });
  return join(folder, name);
}
