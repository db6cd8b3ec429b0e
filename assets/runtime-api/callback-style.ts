import type { Context } from './context';
import type { Handler } from './handler';

type Callback = (error?: unknown, answer?: unknown) => void;

/**
 * Makes a handler of three parameters one that answers with a promise. As in Lambda's Node.js 22
 * and before, an answer waits for what the handler has left running unless the context's
 * `callbackWaitsForEmptyEventLoop` is false, an error does not; a handler that never calls back
 * has answered `null` once nothing is left running.
 *
 * @param whenIdle sets what happens, once, when nothing is left to wait for
 */
export function callbackStyle(
  handler: Handler['run'],
  whenIdle: (action: (() => void) | undefined) => void,
): Handler['run'] {
  return (event, given) =>
    new Promise((resolve, reject) => {
      const context = given as Context;
      let called = false;
      let settled = false;
      const settle = (action: () => void) => {
        // Whatever the handler still does, another event may be in hand by then.
        if (settled) return;
        settled = true;
        whenIdle(undefined);
        action();
      };
      const answerWith = (answer: unknown) => settle(() => resolve(answer));
      const failWith = (error: unknown) => settle(() => reject(error));
      const callback: Callback = (error, answer) => {
        if (called || settled) return;
        called = true;
        const isError = error !== undefined && error !== null;
        if (isError) failWith(error);
        else if (context.callbackWaitsForEmptyEventLoop) whenIdle(() => answerWith(answer));
        else answerWith(answer);
      };
      context.callbackWaitsForEmptyEventLoop = true;
      whenIdle(() => answerWith(null));
      try {
        const returned = handler(event, context, callback) as PromiseLike<unknown> | undefined;
        if (typeof returned?.then !== 'function') return;
        // What a promise never tells is no answer.
        if (!called) whenIdle(undefined);
        returned.then(answerWith, failWith);
      } catch (error) {
        failWith(error);
      }
    });
}
