import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventSource } from '../../lib/invoke/event';
import { temporaryFolder } from '../temporary-folder';

const LIMIT = 6 * 1024 * 1024;

/** JSON text of so many bytes of UTF-8, and fewer characters. */
const ofBytes = (bytes: number) => `"é${'x'.repeat(bytes - 4)}"`;

let file: string;
beforeEach(() => {
  file = join(temporaryFolder(), 'event.json');
});

test('an event may have 6 MB, and no byte more', async () => {
  writeFileSync(file, ofBytes(LIMIT));
  expect(Buffer.byteLength(await eventSource(file).read())).toBe(LIMIT);
  writeFileSync(file, ofBytes(LIMIT + 1));
  await expect(eventSource(file).read()).rejects.toMatchObject({
    code: 'InvalidEvent',
    message: expect.stringContaining('has 6291457 bytes, and Lambda takes at most 6291456'),
  });
});

test('JSON itself is an event, also where it is no possible name of a file', async () => {
  for (const typed of ['{}', ofBytes(300), ofBytes(100_000), '["package.json/x"]']) {
    expect(await eventSource(typed).read()).toBe(typed);
  }
  expect(() => eventSource('package.json/x')).toThrow('is neither a file nor JSON');
});

test('a pipe is read once, and its text kept', async () => {
  execFileSync('mkfifo', [file]);
  const source = eventSource(file);
  const first = source.read();
  await sleep(50);
  await writeFile(file, '{"a":1}');
  expect([await first, await source.read()]).toEqual(['{"a":1}', '{"a":1}']);
  expect(source.file).toBeUndefined();
});

test('a byte order mark is no part of the event', async () => {
  writeFileSync(file, '\uFEFF{"a":1}');
  expect(await eventSource(file).read()).toBe('{"a":1}');
});

test('a file that is gone for a moment can be read afterwards', async () => {
  writeFileSync(file, '1');
  const source = eventSource(file);
  rmSync(file);
  await expect(source.read()).rejects.toMatchObject({
    code: 'UnreadableEvent',
    message: expect.stringMatching(/^event .*event.json cannot be read: .*ENOENT/),
  });
  writeFileSync(file, '2');
  expect(await source.read()).toBe('2');
});
