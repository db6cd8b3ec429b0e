/** What the emulator's own log (`--log-level debug`, on stderr) says of one invocation. */
export interface Transcript {
  /** The emulator is done with the invocation: nothing more will be logged for it. */
  readonly finished: boolean;
  /** The runtime reported an error, which the emulator's answer does not tell from a result. */
  readonly reportedError: boolean;
  /** The emulator refused the result as too large, and answers with an error in its place. */
  readonly refusedResult: boolean;
  readonly timedOut: boolean;
  /** The runtime died or could not be started. */
  readonly fatal?: { readonly type: string; readonly message: string };
  readonly initMilliseconds?: number;
}

/** Reads the part of the log that begins with the invocation. */
export function readTranscript(log: string): Transcript {
  const fatalType = /First fatal error stored in appctx: (\S+)/.exec(log)?.[1];
  const message = /(?:Init|Invoke) failed .*?error=(.+?)(?: InvokeID=\S*)?$/m.exec(log)?.[1];
  // A failed start is tried again during the invocation: the first report is the real one.
  const init = /INIT REPORT\(durationMs: ([\d.]+)\)/.exec(log)?.[1];
  return {
    finished: /execute finished, autoreset cancelled|FastInvoke\(\) error/.test(log),
    reportedError: /API request - POST \S+\/runtime\/(?:invocation\/[^/\s]+|init)\/error,/.test(
      log,
    ),
    refusedResult: log.includes('Sending Error Response: Function.ResponseSizeTooLarge'),
    timedOut: log.includes('Invoke() timeout'),
    fatal: fatalType
      ? { type: fatalType, message: message ?? 'Unknown application error' }
      : undefined,
    initMilliseconds: init === undefined ? undefined : Number(init),
  };
}

/**
 * A function's log without the emulator's START, END and REPORT lines. The lines of one record come
 * with carriage returns between them, which a terminal would write over each other.
 */
export function functionLog(log: string, requestId: string): string {
  return log
    .split('\n')
    .filter((line) => !/^(?:START|END|REPORT) RequestId: /.test(line) || !line.includes(requestId))
    .join('\n')
    .replaceAll('\r', '\n');
}
