/** Says which interpreter runs it, and echoes its event. */
export function handler(event: unknown) {
  return {
    runtime: 'deno',
    version: Deno.version.deno,
    architecture: Deno.build.arch === 'aarch64' ? 'arm64' : 'x86_64',
    event,
  };
}
