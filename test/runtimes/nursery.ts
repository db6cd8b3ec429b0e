import { realLayer } from '../layers/fixtures';
import { FakeRuntimeApi } from './fake-runtime-api';
import { RunningLayer } from './running-layer';

/** How the runtimes on V8 bound its nursery, which a function may bound in another way. */
export function describeNursery(name: string, file: string, variable: string): void {
  /** MiB that the heap may take in all: the old generation, and three semi-spaces. */
  async function heapLimit(environment: Record<string, string>): Promise<number> {
    const { folder } = await realLayer(name);
    const code = `import v8 from 'node:v8';
      export const handler = () => v8.getHeapStatistics().heap_size_limit / 2 ** 20;`;
    const api = await FakeRuntimeApi.start();
    const running = RunningLayer.with(api, folder, { [file]: code }, 'main.handler', environment);
    try {
      return Number((await api.invoke({})).body);
    } finally {
      await running.stop();
    }
  }

  test('is bounded, and as the function says where it says so', async () => {
    const bounded = await heapLimit({});
    expect(await heapLimit({ [variable]: '--max-semi-space-size=8' })).toBe(bounded);
    expect(await heapLimit({ [variable]: '--max_semi_space_size=16' })).toBe(bounded + 3 * 8);
  });
}
