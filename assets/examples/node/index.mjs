/** Answers like an HTTP API, says which interpreter runs it, and echoes its event. */
export async function handler(event) {
  const nodeVersion = process.version;
  return {
    statusCode: 200,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ nodeVersion }),
    nodeVersion,
    runtime: 'node',
    version: process.versions.node,
    architecture: process.arch === 'arm64' ? 'arm64' : 'x86_64',
    event,
  };
}
