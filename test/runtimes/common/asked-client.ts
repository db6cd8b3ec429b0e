import { FakeRuntimeApi } from '../fake-runtime-api';
import { ACCEPTED, eventResponse, NEXT, type RawRequest, RawRuntimeApi } from '../raw-runtime-api';
import {
  layerStarter,
  type RunningLayer,
  type RuntimeApi,
  type RuntimeDialect,
} from '../running-layer';

export const ECHO = 'export const handler = async (event) => event;';
export const MEGABYTE = 1024 * 1024;
export const TRACE = 'Root=1-5759e988-bd862e3fe1be46a994272793';
/** What Lambda sends with every event, for clients that cannot do without it. */
export const USUAL = {
  'Lambda-Runtime-Trace-Id': TRACE,
  'Lambda-Runtime-Invoked-Function-Arn': 'arn:aws:lambda:eu-west-1:111111111111:function:f',
};
/** The same, and what else an event comes with, as header lines. */
export const USUAL_LINES = Object.entries({
  ...USUAL,
  'Content-Type': 'application/json',
  'Lambda-Runtime-Deadline-Ms': Date.now() + 600_000,
})
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('');
/** Milliseconds in which something has to happen that is said to happen at once. */
const SOON = 4000;
/** 20,000 lines of text, as a statement of a handler. */
export const LINES = "for (let n = 0; n < 20_000; n++) console.log('line ' + n + '.'.repeat(40));";

/** A client that is asked for rows of the contract. */
export interface AskedClient {
  readonly dialect: RuntimeDialect;
  readonly start: ReturnType<typeof layerStarter<FakeRuntimeApi>>;
  readonly startRaw: ReturnType<typeof layerStarter<RawRuntimeApi>>;
  /** Asks for a row, unless it cannot be asked of this client. */
  row(title: string, ask: () => Promise<void>): void;
}

/** @param notAsked why rows cannot be asked of this client, by title */
export function askedClient(
  dialect: RuntimeDialect,
  notAsked: Readonly<Record<string, string>>,
): AskedClient {
  return {
    dialect,
    start: layerStarter(dialect, () => FakeRuntimeApi.start()),
    startRaw: layerStarter(dialect, () => RawRuntimeApi.start()),
    row: (title, ask) => (title in notAsked ? test.skip : test)(title, ask),
  };
}

/** What happens, unless the process ends before it. */
export const alive = async <T>(layer: RunningLayer<RuntimeApi>, happens: Promise<T>) => {
  const ended = layer.exited.then((code): never => {
    throw new Error(`the process ended with ${code}: ${layer.log}`);
  });
  ended.catch(() => {});
  const late = rejectAfter(SOON * 2, 'nothing came');
  try {
    return await Promise.race([happens, ended, late.promise]);
  } finally {
    late.cancel();
  }
};
/** What a client posts for an event. */
export const invoke = (layer: RunningLayer, event: unknown, fields: Record<string, string> = {}) =>
  alive(layer, layer.api.invoke(event, { ...USUAL, ...fields }));
/** The next request, of which the test knows the start line. */
export const expectRaw = (layer: RunningLayer<RawRuntimeApi>, line: string) =>
  alive(layer, layer.api.expect(line));
/** Answers a request for the next event. */
export const give = (request: RawRequest, id: string, event: unknown) =>
  request.reply(eventResponse(id, event, USUAL));
/** Accepts the answer of an invocation. */
export const takeAnswer = async (layer: RunningLayer<RawRuntimeApi>, id: string) => {
  const answer = await expectRaw(layer, `POST /invocation/${id}/response`);
  answer.reply(ACCEPTED);
  return answer;
};
/** One more invocation goes well, on whatever connection. */
export const goesOn = async (layer: RunningLayer<RawRuntimeApi>, id: string) => {
  give(await expectRaw(layer, NEXT), id, { still: 'here' });
  expect(JSON.parse((await takeAnswer(layer, id)).body)).toEqual({ still: 'here' });
};
/** The process ends soon. */
export const ends = async ({ exited }: RunningLayer<RuntimeApi>) => {
  const late = rejectAfter(SOON, 'the process goes on');
  try {
    await Promise.race([exited, late.promise]);
  } finally {
    late.cancel();
  }
};
/** Gives it the time to do what it still does; answers whether it has ended. */
export const settles = (layer: RunningLayer<RuntimeApi>) =>
  ends(layer).then(
    () => true,
    () => false,
  );
/** Takes whatever is posted from now on, and answers no other request. */
export const takePosts = async ({ api }: RunningLayer<RawRuntimeApi>, after = 0) => {
  for (;;) {
    const request = await api.next();
    if (request.line.startsWith('POST')) setTimeout(() => request.reply(ACCEPTED), after);
  }
};
/** Start lines of what was posted. */
export const postsOf = ({ api }: RunningLayer<RawRuntimeApi>) =>
  api.lines.filter((line) => line.startsWith('POST'));

/** What the Runtime API says when it does not take something. */
export function refusal(status: number, field = ''): string {
  const body = '{"errorType":"Refused","errorMessage":"why?"}';
  const length = `Content-Length: ${body.length}`;
  return `HTTP/1.1 ${status} No\r\nContent-Type: application/json\r\n${field}${length}\r\n\r\n${body}`;
}

function rejectAfter(milliseconds: number, message: string) {
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(message)), milliseconds);
  });
  // Nobody may be listening any more.
  promise.catch(() => {});
  return { promise, cancel: () => clearTimeout(timer) };
}
