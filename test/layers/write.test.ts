import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../temporary-folder';
import { PROJECT } from './fixtures';

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s while a file is written leaves no file',
  async (signal) => {
    const folder = temporaryFolder();
    const script = `
    require(${JSON.stringify(join(PROJECT, 'node_modules/ts-node'))}).register({ dir: ${JSON.stringify(PROJECT)} });
    const { writeWhole } = require(${JSON.stringify(join(PROJECT, 'lib/layers/write.ts'))});
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
