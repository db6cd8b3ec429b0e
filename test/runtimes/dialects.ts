import type { RuntimeDialect } from './running-layer';

/** bun-lambda's handlers take a `Request` and give a `Response`. */
const asFetch = (files: Record<string, string>, handler: string): Record<string, string> => {
  const file = `${handler.split('.')[0]}.ts`;
  const { [file]: code, ...others } = files;
  if (code === undefined) return files;
  const name = handler.split('.').slice(1).join('.');
  return {
    ...others,
    [file.replace('.ts', '-of-the-test.ts')]: code,
    [file]: `
      import * as module from './${file.split('/').at(-1)?.replace('.ts', '')}-of-the-test';
      const handler = module.${name};
      export default typeof handler === 'function' ? {
        async handler(request) {
          const { event, requestId } = await request.json();
          const answer = await handler(event, { awsRequestId: requestId });
          return new Response(JSON.stringify(answer ?? null));
        },
      } : { handler };`,
  };
};

/** The clients that the contract is run against: the layers' own, and their peers. */
export const DIALECTS = {
  deno: { name: 'deno', file: 'main.ts', parseError: 'TypeError' },
  node: { name: 'node', file: 'main.mjs', parseError: 'SyntaxError' },
  bun: { name: 'bun', file: 'main.ts', parseError: 'SyntaxError' },
  'aws-lambda-ric': { name: 'aws-lambda-ric', file: 'main.mjs', parseError: 'SyntaxError' },
  lambci: {
    name: 'lambci',
    file: 'main.js',
    parseError: 'SyntaxError',
    // It calls require, which finds no .mjs.
    adapt: (files) => ({ 'package.json': '{"type":"module"}', ...files }),
  },
  'deno-lambda': { name: 'deno-lambda', file: 'main.ts', parseError: 'TypeError' },
  'bun-lambda': { name: 'bun-lambda', file: 'main.ts', parseError: 'SyntaxError', adapt: asFetch },
} satisfies Record<string, RuntimeDialect>;

const OUTPUT = [
  'output before such an error is not lost',
  '`exit` in the handler; nothing of the log is lost',
];
const CALLBACKS = [
  'callback style: answered once, with an error, thrown, rejected',
  '… waits for what is left running, or not (`callbackWaitsForEmptyEventLoop`)',
];
const PIECES = [
  '`awslambda.streamifyResponse`: chunked, content type, sent as it comes',
  '… piping, returning early, an end before the handler’s',
  '`awslambda.HttpResponseStream.from`',
  'back-pressure: `write`, `drain`, a generator that waits',
  '20 MB in 200,000 pieces',
  'an error before the first piece; after it, in trailers',
  '… that nothing caught, or a stream that can never end',
  'client gone: the source is told to end, the next event is answered',
];
const because = (reason: string, rows: readonly string[]) =>
  Object.fromEntries(rows.map((row) => [row, reason]));
const SYSTEM_OUTPUT = because(
  "writes through Node.js's stream, which may lose at an exit what its reader has not taken",
  OUTPUT,
);
const NO_PIECES = because('has no answers in pieces', PIECES);
const NO_CALLBACKS = because('has no handlers in callback style', CALLBACKS);

/** Rows of the contract that cannot be asked of a client, and why. */
export const NOT_ASKED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'aws-lambda-ric': {
    ...SYSTEM_OUTPUT,
    ...because('refuses callbacks from Node.js 24 on', CALLBACKS),
    ...because('nothing of the function runs while it posts', [
      '… lets an answer on its way arrive and takes no other event',
    ]),
  },
  lambci: { ...SYSTEM_OUTPUT, ...NO_PIECES },
  'deno-lambda': { ...NO_CALLBACKS, ...NO_PIECES },
  'bun-lambda': {
    ...NO_CALLBACKS,
    ...NO_PIECES,
    ...because('its handlers get a Request and give a Response', [
      'every field of the context, remaining time from the deadline',
      '`undefined` is answered with `null`',
      'BigInt and cycles fail that invocation only',
    ]),
  },
};
