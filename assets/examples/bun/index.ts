interface Context {
  readonly awsRequestId: string;
  readonly memoryLimitInMB: string;
}

/** Says which interpreter runs it and how it was called, and echoes its event. */
export function handler(event: unknown, context: Context) {
  return {
    runtime: 'bun',
    version: Bun.version,
    architecture: process.arch === 'arm64' ? 'arm64' : 'x86_64',
    requestId: context.awsRequestId,
    memoryMb: Number(context.memoryLimitInMB),
    event,
  };
}
