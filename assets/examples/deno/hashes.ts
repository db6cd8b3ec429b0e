import pMap from './vendor/p-map.mjs';

/** SHA-256 of each text, four at a time; for `hashes.handler`, and to show a vendored module. */
export async function handler({ texts }: { texts: readonly string[] }): Promise<string[]> {
  return await pMap(texts, sha256, { concurrency: 4 });
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
