import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { realLayer, writeFiles } from '../layers/fixtures';
import { temporaryFolder } from '../temporary-folder';
import { FakeRuntimeApi } from './fake-runtime-api';
import { layerStarter, type RuntimeDialect } from './running-layer';

/** A script that a function or another layer brings along to start the interpreter. */
export function describeWrapperScript(dialect: RuntimeDialect): void {
  const start = layerStarter(dialect, () => FakeRuntimeApi.start());
  const code = `import process from 'node:process';
    export const handler = () => [process.env.STARTED_BY, process.execPath];`;
  const startedBy = (script: string) => start(code, { AWS_LAMBDA_EXEC_WRAPPER: script });

  test('starts the interpreter, and may change how', async () => {
    const text = '#!/bin/sh\nexport STARTED_BY="$0"\nexec "$@"\n';
    const script = join(writeFiles(temporaryFolder(), { 'my script': text }), 'my script');
    chmodSync(script, 0o755);
    const { api } = await startedBy(script);
    const { folder } = await realLayer(dialect.name);
    const answer = JSON.parse((await api.invoke({})).body);
    expect(answer).toEqual([script, `${folder}/bin/${dialect.name}`]);
  });

  test('is refused when it is the bootstrap of the runtime', async () => {
    const { folder } = await realLayer(dialect.name);
    const layer = await startedBy(`${folder}/bin/../bootstrap`);
    expect(await layer.exited).toBe(126);
    expect(layer.log).toContain('AWS_LAMBDA_EXEC_WRAPPER names');
  });

  test('is named when it is not there', async () => {
    const layer = await startedBy('/opt/nowhere');
    expect(await layer.exited).toBe(127);
    expect(layer.log).toContain('/opt/nowhere');
  });
}
