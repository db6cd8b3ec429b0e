import { setTimeout as sleep } from 'node:timers/promises';
import { FakeRuntimeApi } from './fake-runtime-api';
import { layerStarter, type RuntimeDialect } from './running-layer';

/**
 * How large V8's heap may grow, which a function may say otherwise.
 *
 * @param variable where it says so
 * @param semiSpace MiB of each of the nursery's semi-spaces
 */
export function describeHeap(dialect: RuntimeDialect, variable: string, semiSpace: number): void {
  const start = layerStarter(dialect, () => FakeRuntimeApi.start());
  /** MiB that the heap may take in all: the old generation, and three semi-spaces. */
  async function heapLimit(environment: Record<string, string>): Promise<number> {
    const code = `import v8 from 'node:v8';
      export const handler = () => v8.getHeapStatistics().heap_size_limit / 2 ** 20;`;
    const { api } = await start(code, environment);
    return Number((await api.invoke({})).body);
  }
  const withMemory = (memory: string) => heapLimit({ AWS_LAMBDA_FUNCTION_MEMORY_SIZE: memory });

  test.each([
    ['128', 115],
    ['3008', 2707],
    ['10240', 9216],
  ])('has nine tenths of the function’s memory, of %s MB', async (memory, oldSpace) => {
    expect(await withMemory(memory)).toBe(oldSpace + 3 * semiSpace);
  });

  test('is V8’s own where the memory is not known', async () => {
    const unknown = await withMemory('');
    expect(unknown).toBeGreaterThan(3 * semiSpace);
    expect(await withMemory('half')).toBe(unknown);
  });

  test('is as large as the function says where it says so', async () => {
    expect(await heapLimit({ [variable]: '--max-old-space-size=200' })).toBe(200 + 3 * semiSpace);
    expect(await heapLimit({ [variable]: '--max_old_space_size=201' })).toBe(201 + 3 * semiSpace);
  });

  test('holds nothing of an event or its answer while the next event is waited for', async () => {
    const code = `let held;
      const measure = () => {
        const { heapUsed, external, arrayBuffers } = process.memoryUsage();
        // Of what lies outside of the heap only texts count. Deno, which has none there, counts no buffers.
        held = (heapUsed + (arrayBuffers && external - arrayBuffers)) / 2 ** 20;
      };
      const collect = () => {
        globalThis.gc();
        // Buffers are freed a moment later.
        setTimeout(measure, 50);
      };
      export const handler = (event) => {
        setTimeout(collect, 50);
        return { held, event };
      };`;
    const { api } = await start(code, { [variable]: '--expose-gc' });
    const heldBefore = async (event: unknown): Promise<number> => {
      const { body } = await api.invoke(event);
      await sleep(300);
      return JSON.parse(body).held;
    };
    await heldBefore({});
    const before = await heldBefore({ text: 'x'.repeat(5 * 1024 * 1024) });
    expect(await heldBefore({})).toBeLessThan(before + 1);
  });

  test('has a bounded nursery, and as the function says where it says so', async () => {
    const bounded = await heapLimit({});
    expect(await heapLimit({ [variable]: `--max-semi-space-size=${semiSpace}` })).toBe(bounded);
    const larger = { [variable]: `--max_semi_space_size=${2 * semiSpace}` };
    expect(await heapLimit(larger)).toBe(bounded + 3 * semiSpace);
  });
}
