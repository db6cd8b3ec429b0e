import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventSource } from '../../lib/invoke/event';
import { temporaryFolder } from '../temporary-folder';

const LIMIT = 6 * 1024 * 1024;

/** JSON text of so many bytes of UTF-8, and fewer characters. */
const ofBytes = (bytes: number) => `"é${'x'.repeat(bytes - 4)}"`;

test('an event may have 6 MB, and no byte more', async () => {
  const file = join(temporaryFolder(), 'event.json');
  writeFileSync(file, ofBytes(LIMIT));
  expect(Buffer.byteLength(await eventSource(file).read())).toBe(LIMIT);
  writeFileSync(file, ofBytes(LIMIT + 1));
  await expect(eventSource(file).read()).rejects.toMatchObject({
    code: 'InvalidEvent',
    message: expect.stringContaining('has 6291457 bytes, and Lambda takes at most 6291456'),
  });
});
