import { join } from 'node:path';
import { npmOptions } from '../../lib/layers/npm-config';
import { temporaryFolder } from '../temporary-folder';
import { writeFiles } from './fixtures';

test('registry, cache, certificates, proxy and credentials are the user’s', async () => {
  const folder = writeFiles(temporaryFolder(), {
    'ca.pem': '-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n',
    npmrc: [
      'registry=https://npm.example.com/all/',
      '@deno:registry=https://deno.example.com/',
      `//npm.example.com/all/:_authToken="${'$'}{SECRET_OF_TEST}"`,
      'https-proxy=http://proxy.example.com:8080/',
      'fetch-retries=7',
    ].join('\n'),
  });
  const options = await npmOptions({
    PATH: process.env.PATH,
    HOME: folder,
    SECRET_OF_TEST: 's3cret',
    npm_config_userconfig: join(folder, 'npmrc'),
    npm_config_globalconfig: join(folder, 'absent'),
    npm_config_cache: join(folder, 'cache'),
    npm_config_cafile: join(folder, 'ca.pem'),
    'npm_config_//deno.example.com/:_authToken': 'other',
  });
  expect(options).toMatchObject({
    registry: 'https://npm.example.com/all/',
    '@deno:registry': 'https://deno.example.com/',
    '//npm.example.com/all/:_authToken': 's3cret',
    '//deno.example.com/:_authToken': 'other',
    httpsProxy: 'http://proxy.example.com:8080/',
    cache: join(folder, 'cache', '_cacache'),
    ca: ['-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----'],
    fetchRetries: 7,
    strictSSL: true,
  });
});

test('a file of certificates that is not there is ignored, as npm does', async () => {
  const folder = temporaryFolder();
  const environment = { PATH: process.env.PATH, HOME: folder };
  const npm_config_cafile = join(folder, 'nowhere.pem');
  expect((await npmOptions({ ...environment, npm_config_cafile })).ca).toBeUndefined();
});

test.each([
  ['cafile', 'can read its configuration and its cafile'],
  ['userconfig', 'cannot be read (EISDIR); make it a readable file'],
])('fails when %s is a folder', async (name, message) => {
  const folder = temporaryFolder();
  const environment = { PATH: process.env.PATH, HOME: folder, [`npm_config_${name}`]: folder };
  await expect(npmOptions(environment)).rejects.toMatchObject({
    code: 'NpmConfigUnreadable',
    message: expect.stringContaining(message),
  });
});

test('fails when npm is not there', async () => {
  await expect(npmOptions({ PATH: temporaryFolder() })).rejects.toMatchObject({
    code: 'NpmConfigUnreadable',
    message: expect.stringContaining('npm is on the PATH'),
  });
});
