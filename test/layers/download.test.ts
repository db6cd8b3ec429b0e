import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type FetchFile, npmFetch, readSource } from '../../lib/layers/download';
import { temporaryFolder } from '../temporary-folder';
import { integrityOf, tarballOf } from './fixtures';

/** A registry with one package, whose tarball is sent as a test wants it. */
class FixtureRegistry {
  readonly requests: string[] = [];
  private readonly server: Server;
  versions: string[] = ['1.0.0'];
  sendTarball: (response: ServerResponse) => void;

  constructor(readonly tarball: Buffer) {
    this.sendTarball = (response) => response.end(tarball);
    this.server = createServer((request, response) => {
      this.requests.push(request.url as string);
      if (request.url?.endsWith('.tgz')) return this.sendTarball(response);
      if (request.url !== '/tiny') return response.writeHead(404).end('{}');
      const dist = { tarball: `${this.url}tiny/-/tiny.tgz`, integrity: integrityOf(tarball) };
      const versions = Object.fromEntries(
        this.versions.map((version) => [version, { name: 'tiny', version, dist }]),
      );
      return response.end(JSON.stringify({ name: 'tiny', 'dist-tags': {}, versions }));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  get tarballRequests(): number {
    return this.requests.filter((url) => url.endsWith('.tgz')).length;
  }

  async start() {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

let registry: FixtureRegistry;
let options: Record<string, unknown>;
const content = randomBytes(100_000);

beforeEach(async () => {
  registry = new FixtureRegistry(await tarballOf({ 'bin/tiny': content, README: 'not asked for' }));
  await registry.start();
  options = {
    registry: registry.url,
    cache: temporaryFolder(),
    fetchRetries: 2,
    fetchRetryMintimeout: 1,
    fetchRetryMaxtimeout: 2,
  };
});
afterEach(() => registry.stop());

const source = (overrides = {}) => ({
  package: 'tiny',
  version: '1.0.0',
  integrity: integrityOf(registry.tarball),
  ...overrides,
});
const noFile: FetchFile = async () => {
  throw new Error('no file may be fetched');
};
const read = (overrides = {}) =>
  readSource(source(overrides), ['bin/tiny'], {
    fetchTarball: npmFetch(options),
    fetchFile: noFile,
  });

test('a package comes from the configured registry, the files that were asked for alone', async () => {
  const files = await read();
  expect([...files.keys()]).toEqual(['bin/tiny']);
  expect(files.get('bin/tiny')?.equals(content)).toBe(true);
});

test('a package in the npm cache needs no network', async () => {
  await read();
  registry.stop();
  const files = await read();
  expect(files.get('bin/tiny')?.equals(content)).toBe(true);
});

test('a version younger than the cached index is found', async () => {
  await read();
  registry.versions = ['1.0.0', '1.0.1'];
  await expect(read({ version: '1.0.1' })).resolves.toBeDefined();
});

test('a download that breaks off is repeated', async () => {
  let cuts = 1;
  registry.sendTarball = (response) => {
    if (cuts-- > 0) return cut(response);
    response.end(registry.tarball);
  };
  const files = await read();
  expect(files.get('bin/tiny')?.equals(content)).toBe(true);
  expect(registry.tarballRequests).toBe(2);
});

test('fails when every download breaks off, after a bounded number of attempts', async () => {
  registry.sendTarball = cut;
  await expect(read()).rejects.toMatchObject({
    code: 'DownloadFailed',
    message: expect.stringContaining('tiny@1.0.0 could not be downloaded'),
  });
  expect(registry.tarballRequests).toBe(3);
});

test('fails when the registry sends other bytes than are pinned', async () => {
  const flipped = Buffer.from(registry.tarball);
  flipped[100] = (flipped[100] as number) ^ 1;
  registry.sendTarball = (response) => response.end(flipped);
  await expect(read()).rejects.toMatchObject({
    code: 'IntegrityMismatch',
    message: expect.stringContaining(`tiny@1.0.0 does not have the pinned integrity sha512-`),
  });
});

test('fails when the registry announces other bytes than are pinned', async () => {
  const integrity = integrityOf(Buffer.from('something else'));
  await expect(read({ integrity })).rejects.toMatchObject({ code: 'IntegrityMismatch' });
  expect(registry.tarballRequests).toBe(0);
});

test.each([{ version: '9.9.9' }, { package: 'absent' }])('fails for %j', async (missing) => {
  await expect(read(missing)).rejects.toMatchObject({ code: 'PackageNotFound' });
});

function cut(response: ServerResponse): void {
  response.writeHead(200, { 'content-length': registry.tarball.length });
  response.write(registry.tarball.subarray(0, 1000), () => response.destroy());
}
