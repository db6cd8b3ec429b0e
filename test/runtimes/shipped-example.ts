import { readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { findRuntime, loadRuntimes } from '../../lib/layers';
import { EXAMPLES_ROOT } from '../../lib/layers/examples';
import { HOST, realLayer } from '../layers/fixtures';
import { FakeRuntimeApi } from './fake-runtime-api';
import { layerStarter, type RuntimeDialect } from './running-layer';

/**
 * The example function that comes with a runtime.
 *
 * @param expectMore checks what else it answers, given the interpreter's version
 */
export function describeShippedExample(
  dialect: RuntimeDialect,
  expectMore: (answer: Record<string, unknown>, version: string) => void = () => {},
): void {
  const start = layerStarter(dialect, () => FakeRuntimeApi.start());

  test('says what runs it', async () => {
    const { version } = (await realLayer(dialect.name)).manifest;
    const { handler } = findRuntime(dialect.name, loadRuntimes()).example;
    const file = `${handler.split('.')[0]}${extname(dialect.file)}`;
    const code = readFileSync(join(EXAMPLES_ROOT, dialect.name, file), 'utf8');
    const { api } = await start({ [file]: code }, {}, handler);
    const answer = JSON.parse((await api.invoke({ smoke: 'x' })).body);
    expect(answer).toMatchObject({
      runtime: dialect.name,
      version,
      architecture: HOST,
      event: { smoke: 'x' },
    });
    expectMore(answer, version);
  });
}
