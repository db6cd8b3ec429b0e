import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { App, Stack } from 'aws-cdk-lib';
import { loadRuntimes } from '../../lib/layers';
import { appContents } from '../../lib/standalone';
import { addStackNames } from '../../lib/standalone/stacks';
import { ARN, appOf, ENV, temporaryFolder } from './fixture';

jest.setTimeout(60_000);

const ROOT = resolve(__dirname, '../..');
const DOCS = readFileSync(join(ROOT, 'docs/standalone.md'), 'utf8');

/** The commands in the shell blocks of the page, one a line. */
const COMMANDS = [...DOCS.matchAll(/^```sh\n([\s\S]*?)^```$/gm)]
  .flatMap(([, block]) => block.replaceAll('\\\n', ' ').split('\n'))
  .map((line) => line.trim().replace(/\s+/g, ' '))
  .filter((line) => line !== '');

const starting = (words: string) => COMMANDS.filter((command) => command.startsWith(words));
const names = (app: App) => app.node.children.filter(Stack.isStack).map(({ node }) => node.id);

/** Commands of an account's owner; the deployment test runs their like against a local cloud. */
const AWS = ['aws lambda invoke', 'aws lambda delete-layer-version', 'aws logs tail'];

test('every command of the page is known to a test', () => {
  const tested = ['npx cdk deploy', 'npx cdk destroy', 'npm run -s invoke --', ...AWS];
  expect(COMMANDS.filter((command) => !tested.some((words) => command.startsWith(words)))).toEqual(
    [],
  );
  expect(COMMANDS.length).toBeGreaterThan(8);
});

test.each(starting('npx cdk deploy'))('the app holds the stacks of: %s', (command) => {
  const words = command.replace('arn:…', ARN).split(' ').slice(3);
  const flags = Object.fromEntries(
    words.flatMap((word, index) => (words[index - 1] === '-c' ? [word.split('=')] : [])),
  );
  const stacks = words.filter((word) => word.endsWith('Stack'));
  expect(appContents({ ...flags, 'aws:cdk:bundling-stacks': ['**'] })).toBe('standalone');
  expect(names(appOf(flags))).toEqual(expect.arrayContaining(stacks));
  expect(stacks).not.toEqual([]);
});

test.each(starting('npx cdk destroy'))('the app knows the stack of: %s', (command) => {
  const app = new App({ outdir: temporaryFolder() });
  addStackNames(app, loadRuntimes(), ENV);
  expect(names(app)).toContain(command.split(' ')[3]);
});

test.each(starting('npm run -s invoke --').filter((command) => !command.includes('--watch')))(
  'answers: %s',
  async (command) => {
    const script = `set -- ${command.replace('npm run -s invoke --', '')}; exec "$0" bin/invoke.js "$@"`;
    const { stdout } = await promisify(execFile)('sh', ['-c', script, process.execPath], {
      cwd: ROOT,
    });
    expect(JSON.parse(stdout)).toBeTruthy();
  },
);
