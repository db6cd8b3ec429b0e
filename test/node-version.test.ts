import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { satisfies } from 'semver';
import { engines } from '../package.json';

const ROOT = join(__dirname, '..');

/** What a program says at its start where Node.js has this version. */
function startedWith(version: string) {
  const program = [
    `Object.defineProperty(process.versions, 'node', { value: ${JSON.stringify(version)} });`,
    `require(${JSON.stringify(join(ROOT, 'bin/environment.js'))});`,
  ].join('\n');
  const { status, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' });
  return { status, stderr };
}

test.each(['20.19.0', '20.20.2', '22.12.0', '24.0.0', '26.10.0'])('Node.js %s is enough', (it) => {
  expect(startedWith(it)).toEqual({ status: 0, stderr: '' });
  expect(satisfies(it, engines.node)).toBe(true);
});

test.each(['16.20.2', '18.19.1', '20.18.3', '21.7.3', '22.11.0'])(
  'Node.js %s is refused in one line, as package.json says',
  (version) => {
    expect(satisfies(version, engines.node)).toBe(false);
    expect(startedWith(version)).toEqual({
      status: 1,
      stderr: `error [NodeTooOld]: this is Node.js ${version}; use 20.19 or newer, of 22 at least 22.12\n`,
    });
  },
);

test('the CDK app asks first of all', () => {
  const app = readFileSync(join(ROOT, 'bin/app.ts'), 'utf8');
  expect(app).toMatch(/^import '\.\/environment';\n/);
});
