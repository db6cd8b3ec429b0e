import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetParametersByPathCommand, SSMClient } from '@aws-sdk/client-ssm';
import { mockClient } from 'aws-sdk-client-mock';
import { arnCommand, listCommand } from '../../lib/lookup/command';
import { rawConfig } from '../pipeline/fixture';
import { temporaryFolder } from '../temporary-folder';

const ssm = mockClient(SSMClient);
const here = process.cwd();

beforeEach(() => {
  ssm.reset();
  ssm.on(GetParametersByPathCommand).resolves({ Parameters: [] });
  jest.spyOn(console, 'log').mockImplementation(() => {});
});
afterEach(() => {
  process.chdir(here);
  jest.restoreAllMocks();
});

const inFolderWith = (cdkJson?: string) => {
  process.chdir(temporaryFolder());
  if (cdkJson !== undefined) writeFileSync(join(process.cwd(), 'cdk.json'), cdkJson);
};
const list = async (...args: string[]) => {
  await listCommand().parseAsync(['--region', 'eu-west-1', ...args], { from: 'user' });
  return ssm.commandCalls(GetParametersByPathCommand).map(({ args: [{ input }] }) => input.Path);
};

test.each([
  ['without cdk.json', undefined, '/layers'],
  ['with a CDK app that delivers nothing', '{ "app": "node out/app.js" }', '/layers'],
  [
    'with a configuration',
    JSON.stringify({ context: { delivery: { ...rawConfig(), namespace: '/mine' } } }),
    '/mine',
  ],
])('a folder %s has a namespace', async (_, cdkJson, namespace) => {
  inFolderWith(cdkJson);
  expect(await list()).toEqual([namespace]);
});

test.each([
  ['{ "context": { "delivery": { "name": 1 } } }', 'InvalidConfiguration'],
  ['{', 'UnreadableConfiguration'],
])(
  'fails on cdk.json %s, where its namespace is needed and nowhere else',
  async (cdkJson, code) => {
    inFolderWith(cdkJson);
    expect(arnCommand().helpInformation()).toContain('(default: as in cdk.json,');
    expect(await list('--namespace', '/named')).toEqual(['/named']);
    await expect(list()).rejects.toMatchObject({ code });
  },
);
