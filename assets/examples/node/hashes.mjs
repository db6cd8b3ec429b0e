import pMap from './vendor/p-map.mjs';

/** SHA-256 of each text, four at a time; for `hashes.handler`, and to show a vendored module. */
export async function handler({ texts }) {
  return await pMap(texts, sha256, { concurrency: 4 });
}

async function sha256(text) {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Buffer.from(digest).toString('hex');
}
