import { LAST_WORDS } from '../handler-code';
import { NEXT } from '../raw-runtime-api';
import {
  type AskedClient,
  ECHO,
  ends,
  expectRaw,
  goesOn,
  invoke,
  LINES,
  USUAL,
} from './asked-client';

/** What becomes of a function’s output, and how it is told to end. */
export function askForLogs({ row, start, startRaw }: AskedClient): void {
  row('`exit` in the handler; nothing of the log is lost', async () => {
    const layer = await start(`
      export const handler = async () => { ${LINES} (globalThis.Deno ?? process).exit(3); };`);
    layer.api.invoke({}, USUAL);
    await ends(layer);
    expect(layer.log.match(/line \d+\.{40}/g)?.length).toBe(20_000);
  });

  row('text logs: time, request id, level; several lines as one record', async () => {
    const layer = await start(`
      export const handler = async () => { console.warn('two\\nlines', { a: 1 }); };`);
    await invoke(layer, {}, { 'Lambda-Runtime-Aws-Request-Id': 'the-id' });
    await layer.logged(/lines/);
    const record = layer.log.split('\n').find((line) => line.includes('lines'));
    // CloudWatch gives each record a time of its own.
    for (const part of [/the-id/, /warn/i, /two/]) {
      expect(record).toMatch(part);
    }
  });

  const json = { AWS_LAMBDA_LOG_FORMAT: 'JSON' };
  row('JSON logs: level, request id, tenant, objects, errors', async () => {
    const layer = await start(
      "export const handler = async () => { console.warn({ a: { b: 'the object' } }); };",
      json,
    );
    await invoke(layer, {});
    await layer.logged(/the object/);
    const record = layer.log.split('\n').find((line) => line.includes('the object'));
    expect(JSON.parse(record as string)).toMatchObject({
      level: 'WARN',
      requestId: '1',
      message: { a: { b: 'the object' } },
    });
  });

  row('level filter', async () => {
    const layer = await start(
      `export const handler = async () => {
        console.debug('one of debug'); console.info('one of info'); console.error('one of error');
      };`,
      { ...json, AWS_LAMBDA_LOG_LEVEL: 'ERROR' },
    );
    await invoke(layer, {});
    await layer.logged(/one of error/);
    expect(layer.log).not.toMatch(/one of (debug|info)/);
  });

  row('SIGTERM ends the process; a listener of the function runs first', async () => {
    for (const code of ['', LAST_WORDS]) {
      const layer = await startRaw(code + ECHO);
      await goesOn(layer, 'x');
      await expectRaw(layer, NEXT);
      layer.signal('SIGTERM');
      await ends(layer);
      if (code) expect(layer.log).toContain('closed the database');
      await layer.stop();
    }
  });
}
