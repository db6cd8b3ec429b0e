/** Handlers that several contracts ask their questions of, as sources. */

/** In callback style, in the way that the event's `how` names. */
export const CALLING_BACK = `
  export function handler(event, context, callback) {
    const later = (action, time = 30) => setTimeout(action, time);
    if (event.linger) later(() => console.log('lingered'), event.linger);
    if ('wait' in event) context.callbackWaitsForEmptyEventLoop = event.wait;
    switch (event.how) {
      case 'now': return callback(null, 'now');
      case 'later': later(() => { callback(null, 'later'); callback(null, 'twice'); }); return 1;
      case 'nothing': later(() => callback()); return;
      case 'error': later(() => callback(new TypeError('back'))); return;
      case 'text': later(() => callback('just text')); return;
      case 'throw late': later(() => callback(null, 'late')); throw new RangeError('thrown');
      case 'throw': throw new RangeError('thrown');
      case 'promise': return Promise.resolve('promised');
      case 'reject': return Promise.reject(new RangeError('rejected'));
      case 'async error': return (async () => { await null; callback(new TypeError('called')); })();
      case 'async answer': return (async () => {
        await null;
        callback(null, 'called');
        await new Promise((resolve) => later(resolve));
      })();
      case 'async never': return new Promise(() => {});
      case 'flag': return callback(null, context.callbackWaitsForEmptyEventLoop);
    }
  }`;

/** Fails in the way that the event's `how` names. */
export const FAILING = `
  class PaymentRefused extends Error { name = 'PaymentRefused'; }
  const cycle = {}; cycle.self = cycle;
  export async function handler({ how }) {
    switch (how) {
      case 'throw': throw new PaymentRefused('no money');
      case 'reject': return Promise.reject(new TypeError('wrong'));
      case 'string': throw 'just text';
      case 'null': throw null;
      case 'object': throw Object.create(null, { code: { value: 7, enumerable: true } });
      case 'odd name': throw Object.assign(new Error('odd'), { name: 'Not a name!' });
      case 'long name': throw Object.assign(new Error('long'), { name: 'A'.repeat(20000) });
      case 'getters': throw Object.defineProperties(new Error('told'), Object.fromEntries(
        ['name', 'stack', 'cause'].map((key) => [key, { get() { throw 1; } }])));
      case 'runtime type': throw Object.assign(new Error('x'), { name: 'Function.Custom' });
      case 'bigint': return { n: 1n };
      case 'cycle': return cycle;
      default: return 'well';
    }
  }`;

/** In front of a handler: what it still does when it is told to end. */
export const LAST_WORDS = `
  const listen = globalThis.Deno
    ? (listener) => Deno.addSignalListener('SIGTERM', listener)
    : (listener) => process.on('SIGTERM', listener);
  listen(async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    console.log('closed the database');
    (globalThis.Deno ?? process).exit(7);
  });
`;
