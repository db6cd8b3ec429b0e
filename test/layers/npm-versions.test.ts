import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { npmVersions } from '../../lib/layers/versions';
import { temporaryFolder } from '../temporary-folder';

const integrity = `sha512-${'A'.repeat(86)}==`;
const before = { ...process.env };
let packument: object;
let server: Server;

beforeAll(async () => {
  server = createServer((_, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(packument));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  process.env.npm_config_registry = `http://127.0.0.1:${port}/`;
});
beforeEach(() => {
  process.env.npm_config_cache = temporaryFolder();
});
afterAll(() => {
  process.env = before;
  server.close();
});

test('versions that a registry names incompletely are left out', async () => {
  packument = {
    versions: {
      '1.0.0': { dist: { integrity } },
      '1.1.0': { dist: { integrity: 'sha1-AAAA' } },
      '1.2.0': { dist: { integrity: 7 } },
      '1.3.0': { dist: {} },
      '1.4.0': {},
      '1.5.0': null,
      '2.0.0-rc.1': { dist: { integrity } },
    },
  };
  expect(await npmVersions()('tiny')).toEqual(new Map([['1.0.0', integrity]]));
});

test.each([[{}], [{ versions: null }], [{ versions: { '1.0.0': {} } }]])(
  'fails where a registry names no usable version: %j',
  async (answer) => {
    packument = answer;
    await expect(npmVersions()('tiny')).rejects.toMatchObject({
      code: 'VersionLookupFailed',
      message: expect.stringContaining('names no stable version of tiny with a sha512 integrity'),
    });
  },
);
