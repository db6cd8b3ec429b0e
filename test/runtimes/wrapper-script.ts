import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { realLayer, writeFiles } from '../layers/fixtures';
import { temporaryFolder } from '../temporary-folder';
import { FakeRuntimeApi } from './fake-runtime-api';
import { RunningLayer, type RuntimeDialect } from './running-layer';

/** A script that a function or another layer brings along to start the interpreter. */
export function describeWrapperScript({ name, file }: RuntimeDialect): void {
  const code = `import process from 'node:process';
    export const handler = () => [process.env.STARTED_BY, process.execPath];`;

  async function startedBy(script: string) {
    const { folder } = await realLayer(name);
    const api = await FakeRuntimeApi.start();
    const environment = { AWS_LAMBDA_EXEC_WRAPPER: script };
    return {
      folder,
      running: RunningLayer.with(api, folder, { [file]: code }, 'main.handler', environment),
    };
  }

  beforeAll(() => realLayer(name), 120_000);

  test('starts the interpreter, and may change how', async () => {
    const text = '#!/bin/sh\nexport STARTED_BY="$0"\nexec "$@"\n';
    const script = join(writeFiles(temporaryFolder(), { 'my script': text }), 'my script');
    chmodSync(script, 0o755);
    const { folder, running } = await startedBy(script);
    try {
      const answer = JSON.parse((await running.api.invoke({})).body);
      expect(answer).toEqual([script, `${folder}/bin/${name}`]);
    } finally {
      await running.stop();
    }
  });

  test('is refused when it is the bootstrap of the runtime', async () => {
    const { folder } = await realLayer(name);
    const { running } = await startedBy(`${folder}/bin/../bootstrap`);
    expect(await running.exited).toBe(126);
    expect(running.log).toContain('AWS_LAMBDA_EXEC_WRAPPER names');
    await running.stop();
  });

  test('is named when it is not there', async () => {
    const { running } = await startedBy('/opt/nowhere');
    expect(await running.exited).toBe(127);
    expect(running.log).toContain('/opt/nowhere');
    await running.stop();
  });
}
