import { CALLING_BACK } from '../handler-code';
import { ACCEPTED, NEXT } from '../raw-runtime-api';
import {
  type AskedClient,
  alive,
  ECHO,
  ends,
  expectRaw,
  give,
  invoke,
  postsOf,
  settles,
  takePosts,
} from './asked-client';

/** How handlers are loaded, and what they may do besides answering. */
export function askForHandlers({ dialect, row, start, startRaw }: AskedClient): void {
  row('missing file, export or function, malformed name, syntax error, throw at init', async () => {
    const { file } = dialect;
    const cases: [Record<string, string>, string?][] = [
      [{}],
      [{ [file]: 'export const other = 1;' }],
      [{ [file]: 'export const handler = 1;' }],
      [{ [file]: ECHO }, 'main'],
      [{ [file]: 'export const = ;' }],
      [{ [file]: 'throw new TypeError("broken"); export const handler = 1;' }],
    ];
    for (const [files, handler] of cases) {
      const layer = await startRaw(files, {}, handler);
      let post = await alive(layer, layer.api.next());
      // It may find out what it has loaded when it calls it.
      if (post.line === NEXT) {
        give(post, 'x', {});
        post = await alive(layer, layer.api.next());
      }
      expect(post.line).toMatch(/error$/);
      const said = { errorType: expect.any(String), errorMessage: expect.stringMatching(/./) };
      expect(JSON.parse(post.body)).toMatchObject(said);
      await layer.stop();
    }
  });

  row('an init error is posted once, then the process ends', async () => {
    const layer = await startRaw('throw new TypeError("broken"); export const handler = 1;');
    (await expectRaw(layer, 'POST /init/error')).reply(ACCEPTED);
    await ends(layer);
    expect(layer.api.lines).toEqual(['POST /init/error']);
  });

  row('a handler that can never answer (nothing is left to wait for): fails at once', async () => {
    const layer = await startRaw('export const handler = async () => new Promise(() => {});');
    give(await expectRaw(layer, NEXT), 'x', {});
    void takePosts(layer);
    const ended = await settles(layer);
    expect(ended || postsOf(layer).includes('POST /invocation/x/error')).toBe(true);
    expect(postsOf(layer)).not.toContain('POST /invocation/x/response');
  });

  row('… or never load (Deno ends by itself, before an init error could be posted)', async () => {
    const layer = await startRaw('await new Promise(() => {}); export const handler = 1;');
    void takePosts(layer);
    await ends(layer);
  });

  row('`cause`, of an error and its causes, posted and logged', async () => {
    const layer = await start(`
      export async function handler() {
        const root = new RangeError('the root');
        throw new Error('top', { cause: new TypeError('the middle', { cause: root }) });
      }`);
    const { body } = await invoke(layer, {});
    await layer.logged(/top/);
    for (const cause of ['the middle', 'the root']) {
      expect(body).toContain(cause);
      expect(layer.log).toContain(cause);
    }
  });

  row('callback style: answered once, with an error, thrown, rejected', async () => {
    const layer = await start(CALLING_BACK);
    for (const [how, body] of [
      ['now', '"now"'],
      ['later', '"later"'],
      ['nothing', 'null'],
      ['promise', '"promised"'],
    ]) {
      const post = await invoke(layer, { how });
      expect({ how, body: post.body }).toEqual({ how, body });
    }
    for (const [how, errorMessage] of [
      ['error', 'back'],
      ['throw', 'thrown'],
      ['reject', 'rejected'],
    ]) {
      const post = await invoke(layer, { how });
      expect(post.path).toMatch(/error$/);
      expect(JSON.parse(post.body)).toMatchObject({ errorMessage });
    }
  });

  row('… waits for what is left running, or not (`callbackWaitsForEmptyEventLoop`)', async () => {
    const layer = await start(CALLING_BACK);
    await invoke(layer, { how: 'later', linger: 1000, wait: false });
    expect(layer.log).not.toContain('lingered');
    await layer.logged(/lingered/);
    const called = performance.now();
    await invoke(layer, { how: 'later', linger: 1000 });
    expect(performance.now() - called).toBeGreaterThan(950);
  });
}
