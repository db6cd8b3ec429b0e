import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { typedPath } from '../lib/options';

const variables = { ...process.env };
afterEach(() => {
  process.env = { ...variables };
});

describe('a path that was typed', () => {
  test.each([
    ['npm changed the folder', { npm_lifecycle_event: 'plan', INIT_CWD: '/home/me' }, '/home/me/x'],
    ['it stayed', { npm_lifecycle_event: 'plan', INIT_CWD: process.cwd() }, 'x'],
    ['another script started this one', { npm_lifecycle_event: 'test', INIT_CWD: '/home/me' }, 'x'],
    ['there is no npm', { npm_lifecycle_event: '', INIT_CWD: '' }, 'x'],
  ])('means what it does where %s', (_, environment, path) => {
    Object.assign(process.env, environment);
    expect(typedPath('plan', 'x')).toBe(path);
    expect(typedPath('plan', '/x')).toBe('/x');
  });

  test.each([
    ['invoke', 'node', '--code', 'nowhere'],
    ['plan', '--config', 'nowhere'],
    ['rehearse', '--report', '.'],
    ['build:layers', '--out', 'options.test.ts/nowhere'],
  ])(
    'is taken from there by npm run %s',
    async (script, ...args) => {
      const said = await new Promise((done) =>
        execFile('npm', ['run', '-s', script, '--', ...args], { cwd: __dirname }, (_, __, stderr) =>
          done(stderr),
        ),
      );
      expect(said).toMatch(/^error \[\w+\]: /);
      expect(said).toContain(join(__dirname, args.at(-1) as string));
    },
    60_000,
  );
});
