import { randomBytes } from 'node:crypto';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { extractZip, readZipEntries } from '../../lib/archive';
import { zlibDeflate } from '../../lib/layers/deflate';
import { reproducibleZip, zipWriter } from '../../lib/layers/zip';
import { temporaryFolder } from '../temporary-folder';

const MIB = 1 << 20;
const half = randomBytes(MIB / 2);
const files = [
  { path: 'bootstrap', mode: 0o755, content: Buffer.from('#!/bin/sh\n') },
  { path: 'bin/big', mode: 0o755, content: Buffer.concat([half, half]) },
  { path: 'bin/almost', mode: 0o755, content: Buffer.alloc(MIB - 1, half) },
  { path: 'empty', mode: 0o644, content: Buffer.alloc(0) },
  { path: 'share/ümlaut', mode: 0o644, content: Buffer.from('name\n') },
];

test('a zip unpacks to the files and their modes', async () => {
  const zip = await reproducibleZip(files);
  const found = await readZipEntries(zip, new Set(files.map(({ path }) => path)));
  expect([...found.keys()]).toEqual([
    'bin/almost',
    'bin/big',
    'bootstrap',
    'empty',
    'share/ümlaut',
  ]);
  for (const { path, content } of files) expect(found.get(path)?.equals(content)).toBe(true);
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'a.zip'), zip);
  await extractZip(join(folder, 'a.zip'), join(folder, 'tree'));
  for (const { path, mode } of files) {
    expect(statSync(join(folder, 'tree', path)).mode & 0o777).toBe(mode);
  }
});

test('the order in which files are found does not matter', async () => {
  const zip = await reproducibleZip(files);
  expect((await reproducibleZip([...files].reverse())).equals(zip)).toBe(true);
});

test('big files alone go to the second compressor', async () => {
  const deflateBig = jest.fn(zlibDeflate);
  await zipWriter(deflateBig)(files);
  expect(deflateBig.mock.calls.map(([content]) => content.length)).toEqual([MIB]);
});

test('a compressor that fails fails the zip', async () => {
  const zip = zipWriter(() => Promise.reject(new Error('out of order')));
  await expect(zip(files)).rejects.toThrow('out of order');
});
