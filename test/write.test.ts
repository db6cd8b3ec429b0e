import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, writeJson } from '../lib/write';
import { PROJECT } from './layers/fixtures';
import { temporaryFolder } from './temporary-folder';

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s while a file is written leaves no file',
  async (signal) => {
    const folder = temporaryFolder();
    const script = `
    require(${JSON.stringify(join(PROJECT, 'node_modules/ts-node'))}).register({ dir: ${JSON.stringify(PROJECT)} });
    const { writeWhole } = require(${JSON.stringify(join(PROJECT, 'lib/write.ts'))});
    const { readdirSync } = require('node:fs');
    const folder = ${JSON.stringify(folder)};
    writeWhole(folder + '/layer.zip', Buffer.alloc(300e6)).then(() => console.log('too late'));
    const poll = setInterval(() => {
      if (!readdirSync(folder).some((name) => name.endsWith('.partial'))) return;
      clearInterval(poll);
      process.kill(process.pid, '${signal}');
    }, 1);`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    const [, endedBy] = await once(child, 'close');
    expect(Buffer.concat(output).toString()).toBe('');
    expect(endedBy).toBe(signal);
    expect(readdirSync(folder)).toEqual([]);
  },
);

test('makes the folder, and replaces an older file', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'new/folder/report.json');
  await writeJson(file, { old: true });
  await writeJson(file, { old: false });
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ old: false });
  expect(readdirSync(join(folder, 'new/folder'))).toEqual(['report.json']);
});

test.each([
  ['where the folder is a file', 'file/report.json'],
  ['where the file is a folder', 'folder'],
])('fails %s, and leaves nothing', async (_, name) => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'file'), '');
  mkdirSync(join(folder, 'folder'));
  await expect(writeJson(join(folder, name), {})).rejects.toMatchObject({ code: 'WriteFailed' });
  expect(readdirSync(folder).sort()).toEqual(['file', 'folder']);
});

test('fails below a folder that takes no others', async () => {
  await expect(makeFolder('/proc/no/such')).rejects.toMatchObject({ code: 'WriteFailed' });
});

test('makes one folder from several sides at once', async () => {
  const folder = join(temporaryFolder(), 'a/b/c');
  await Promise.all([makeFolder(folder), makeFolder(folder), makeFolder(join(folder, 'd'))]);
  expect(readdirSync(folder)).toEqual(['d']);
});
