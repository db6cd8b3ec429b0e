import { realLayer } from '../layers/fixtures';
import { FakeRuntimeApi } from './fake-runtime-api';
import { RunningLayer } from './running-layer';

/**
 * How the runtimes on V8 bound its nursery, which a function may bound in another way.
 *
 * @param semiSpace MiB of each of its semi-spaces
 */
export function describeNursery(
  { name, file }: { readonly name: string; readonly file: string },
  variable: string,
  semiSpace: number,
): void {
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

  beforeAll(() => realLayer(name), 120_000);

  test('is bounded, and as the function says where it says so', async () => {
    const bounded = await heapLimit({});
    expect(await heapLimit({ [variable]: `--max-semi-space-size=${semiSpace}` })).toBe(bounded);
    const larger = { [variable]: `--max_semi_space_size=${2 * semiSpace}` };
    expect(await heapLimit(larger)).toBe(bounded + 3 * semiSpace);
  });
}
