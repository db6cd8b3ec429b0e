/**
 * A global as it is now, whatever the handler makes of it later: a test's fake timers must not stop
 * the runtime's own. A getter is called when the value is wanted for the first time, because Deno
 * loads timers only then, which takes longer than all else before the first request.
 */
export function original<Name extends 'setTimeout'>(name: Name): () => (typeof globalThis)[Name] {
  const { get, value } = Object.getOwnPropertyDescriptor(globalThis, name) ?? {};
  return get ? () => get.call(globalThis) : () => value;
}
