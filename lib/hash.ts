import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

export function sha256Hex(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** SHA-256 of a file that need not fit into memory. @throws what reading the file does */
export async function sha256OfFile(path: string, encoding: 'base64' | 'hex'): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest(encoding);
}
