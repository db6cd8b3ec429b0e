import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ZipBodies } from '../../lib/publish/zip-bodies';

let dir: string;
let file: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'bodies-test-'));
  file = join(dir, 'a.zip');
  writeFileSync(file, 'first');
});

afterEach(() => rmSync(dir, { recursive: true }));

const send = async (body: Buffer) => body;

test('reads a zip once for all of its transfers', async () => {
  const bodies = new ZipBodies([file, file, file]);
  const one = await bodies.use(file, send);
  writeFileSync(file, 'other');
  expect(await bodies.use(file, send)).toBe(one);
});

test('forgets a zip after its last transfer, a failed one included', async () => {
  const bodies = new ZipBodies([file, file]);
  await bodies.use(file, send);
  const failing = bodies.use(file, () => Promise.reject(new Error('refused')));
  await expect(failing).rejects.toThrow('refused');
  writeFileSync(file, 'other');
  expect((await bodies.use(file, send)).toString()).toBe('other');
});
