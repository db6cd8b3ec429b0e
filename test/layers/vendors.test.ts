import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { zipSync } from 'fflate';
import { readManifests } from '../../lib/layers';
import { fileFetch } from '../../lib/layers/download';
import { vendorLookup } from '../../lib/layers/vendors';
import type { Architecture } from '../../lib/release';
import { buildRuntimeLayer } from '../../lib/standalone';
import { temporaryFolder } from '../temporary-folder';
import { elf, tarballOf } from './fixtures';

/** The vendors' two sites on this machine: paths to what is sent. */
class FixtureSites {
  readonly files = new Map<string, Buffer>();
  readonly requests: string[] = [];
  send: (response: ServerResponse, content: Buffer) => void = (response, content) =>
    response.end(content);
  private readonly server: Server = createServer((request, response) => {
    const path = request.url as string;
    this.requests.push(path);
    const content = this.files.get(path);
    if (content === undefined) return response.writeHead(404).end('Not Found');
    if (/sum|SHA/.test(path)) return response.end(content);
    return this.send(response, content);
  });

  async start(): Promise<void> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  url = '';

  /** A version of Node.js: an archive an architecture, one file with all checksums. */
  async addNode(version: string, programs: Partial<Record<Architecture, Buffer>>): Promise<void> {
    const sums = [`${'0'.repeat(64)}  node-v${version}-darwin-arm64.tar.gz`];
    for (const [architecture, program] of Object.entries(programs)) {
      const name = `node-v${version}-linux-${architecture === 'arm64' ? 'arm64' : 'x64'}.tar.gz`;
      const archive = await tarballOf({ 'bin/node': program, LICENSE: 'Old terms.\n' });
      this.files.set(`/node/v${version}/${name}`, archive);
      sums.push(`${sha256(archive)}  ${name}`);
    }
    this.files.set(`/node/v${version}/SHASUMS256.txt`, Buffer.from(`${sums.join('\n')}\n`));
  }

  /** A version of Deno: an archive an architecture, and a checksum file beside each. */
  async addDeno(version: string, programs: Partial<Record<Architecture, Buffer>>): Promise<void> {
    for (const [architecture, program] of Object.entries(programs)) {
      const name = `deno-${architecture === 'arm64' ? 'aarch64' : 'x86_64'}-unknown-linux-gnu.zip`;
      const archive = Buffer.from(zipSync({ deno: program }));
      this.files.set(`/deno/v${version}/${name}`, archive);
      const sum = `${sha256(archive)}  target/release/${name}\n`;
      this.files.set(`/deno/v${version}/${name}.sha256sum`, Buffer.from(sum));
    }
  }
}

const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');
const x86_64 = (needs?: string[]) => elf({ machine: 62, needs });
const arm64 = (needs?: string[]) => elf({ machine: 183, needs });

let sites: FixtureSites;
let notices: string[];

beforeEach(async () => {
  sites = new FixtureSites();
  notices = [];
  await sites.start();
});
afterEach(() => sites.stop());

/** A build as a person asks for it; npm has one version of everything. */
function build(runtime: string, version: string, architecture: Architecture, outDir?: string) {
  const fetchFile = fileFetch({
    cache: temporaryFolder(),
    fetchRetries: 2,
    fetchRetryMintimeout: 1,
    fetchRetryMaxtimeout: 2,
  });
  const environment = {
    LAYERS_NODE_SITE: `${sites.url}/node`,
    LAYERS_DENO_SITE: `${sites.url}/deno/`,
  };
  return buildRuntimeLayer({
    runtime,
    version,
    architecture,
    outDir: outDir ?? temporaryFolder(),
    onNotice: (line) => notices.push(line),
    packageVersions: async () => new Map([['3.0.0', `sha512-${'A'.repeat(86)}==`]]),
    vendorLookup: vendorLookup(fetchFile, environment),
    fetchFile,
  });
}

describe('a version that npm does not have', () => {
  test('of Node.js comes from its site, as its checksum file says', async () => {
    await sites.addNode('18.20.4', { arm64: arm64(), x86_64: x86_64() });
    const outDir = temporaryFolder();
    const { manifest } = await build('node', 'v18.20.4', 'arm64', outDir);
    const folder = `${sites.url}/node/v18.20.4`;
    const file = (name: string) => sites.files.get(`/node/v18.20.4/${name}`) as Buffer;
    const digest = createHash('sha256').update(file('node-v18.20.4-linux-arm64.tar.gz'));
    expect(manifest).toMatchObject({
      version: '18.20.4',
      architecture: 'arm64',
      glibc: '2.17',
      source: {
        url: `${folder}/node-v18.20.4-linux-arm64.tar.gz`,
        version: '18.20.4',
        integrity: `sha256-${digest.digest('base64')}`,
        checksums: { url: `${folder}/SHASUMS256.txt`, sha256: sha256(file('SHASUMS256.txt')) },
      },
    });
    expect(manifest.files.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['bin/node', 'bootstrap', 'share/licenses/node/LICENSE']),
    );
    expect(readManifests([outDir])).toEqual([manifest]);
    expect(notices).toEqual([
      `node 18.20.4 is not pinned by runtime.json and not on npm: ${folder}/node-v18.20.4-linux-arm64.tar.gz is checked against ${folder}/SHASUMS256.txt of today`,
      'building node 18.20.4 arm64',
    ]);
  });

  test('of Deno comes from its releases, its checksum beside it', async () => {
    await sites.addDeno('1.46.3', { arm64: arm64(), x86_64: x86_64() });
    const { manifest } = await build('deno', '1.46.3', 'x86_64');
    const url = `${sites.url}/deno/v1.46.3/deno-x86_64-unknown-linux-gnu.zip`;
    expect(manifest.source).toMatchObject({ url, checksums: { url: `${url}.sha256sum` } });
    expect(manifest.files.find(({ path }) => path === 'bin/deno')?.sha256).toBe(sha256(x86_64()));
  });

  test('is built once', async () => {
    await sites.addDeno('1.46.3', { arm64: arm64() });
    const outDir = temporaryFolder();
    const first = await build('deno', '1.46.3', 'arm64', outDir);
    sites.requests.length = 0;
    expect(await build('deno', '1.46.3', 'arm64', outDir)).toEqual(first);
    expect(sites.requests.filter((path) => path.endsWith('.zip'))).toEqual([]);
  });

  test('comes from where the site sends the download on to', async () => {
    await sites.addDeno('1.46.3', { arm64: arm64() });
    const { send } = sites;
    sites.send = (response, content) => {
      sites.files.set('/elsewhere', content);
      sites.send = send;
      response.writeHead(302, { location: '/elsewhere' }).end();
    };
    await expect(build('deno', '1.46.3', 'arm64')).resolves.toBeDefined();
    expect(sites.requests).toContain('/elsewhere');
  });

  test('is downloaded again where it breaks off', async () => {
    await sites.addDeno('1.46.3', { arm64: arm64() });
    const { send } = sites;
    sites.send = (response, content) => {
      sites.send = send;
      breakOff(response, content);
    };
    await expect(build('deno', '1.46.3', 'arm64')).resolves.toBeDefined();
    expect(sites.requests.filter((path) => path.endsWith('.zip'))).toHaveLength(2);
  });

  test('fails where every download breaks off', async () => {
    await sites.addDeno('1.46.3', { arm64: arm64() });
    sites.send = breakOff;
    await expect(build('deno', '1.46.3', 'arm64')).rejects.toMatchObject({
      code: 'DownloadFailed',
      message: expect.stringContaining(
        'deno-aarch64-unknown-linux-gnu.zip could not be downloaded',
      ),
    });
  });

  test.each([
    ['node', '18.20.4', 'SHASUMS256.txt'],
    ['deno', '1.46.3', 'deno-aarch64-unknown-linux-gnu.zip.sha256sum'],
  ])(
    'of %s fails with other bytes than the checksum file names',
    async (runtime, version, sums) => {
      await sites.addNode('18.20.4', { arm64: arm64() });
      await sites.addDeno('1.46.3', { arm64: arm64() });
      sites.send = (response, content) => {
        const flipped = Buffer.from(content);
        flipped[30] ^= 1;
        response.end(flipped);
      };
      const outDir = temporaryFolder();
      const failure = build(runtime, version, 'arm64', outDir);
      await expect(failure).rejects.toMatchObject({ code: 'IntegrityMismatch' });
      await expect(failure).rejects.toThrow(
        /does not have the SHA-256 that http.+ names; do not use it/,
      );
      expect(readManifests([outDir])).toEqual([]);
      expect(sites.requests.some((path) => path.endsWith(sums))).toBe(true);
    },
  );

  test.each([
    ['node', '16.20.2'],
    ['deno', '1.40.0'],
  ])('fails for %s %s on the architecture that the vendor lacks', async (runtime, version) => {
    await sites.addNode('16.20.2', { x86_64: x86_64() });
    await sites.addDeno('1.40.0', { x86_64: x86_64() });
    await expect(build(runtime, version, 'arm64')).rejects.toMatchObject({
      code: 'UnknownVersion',
      message: expect.stringContaining(
        `${runtime} version "${version}" exists for x86_64, but not for arm64`,
      ),
    });
    await expect(build(runtime, version, 'x86_64')).resolves.toBeDefined();
  });

  test('fails where the vendor does not have it, either, and names what there is', async () => {
    await expect(build('node', '17.99.0', 'arm64')).rejects.toMatchObject({
      code: 'UnknownVersion',
      message: `node version "17.99.0" does not exist; runtime.json pins 26.10.0, 24.21.0, 24.20.0, 22.23.3; npm also has 3.0.0; ${sites.url}/node has no checksum of it for arm64`,
    });
  });

  test('fails for a short version that only the vendor could have', async () => {
    await sites.addNode('18.20.4', { arm64: arm64() });
    await expect(build('node', '18', 'arm64')).rejects.toMatchObject({ code: 'UnknownVersion' });
    expect(sites.requests).toEqual([]);
  });

  test('fails where the site cannot be asked', async () => {
    sites.stop();
    await expect(build('deno', '1.46.3', 'arm64')).rejects.toMatchObject({
      code: 'VersionLookupFailed',
      message: expect.stringMatching(
        /^deno version "1\.46\.3" is not on npm for arm64, and http.+\.sha256sum could not be downloaded: /,
      ),
    });
  });

  test('fails at once where the site has no address here, whatever npm says of retries', async () => {
    const patient = { cache: temporaryFolder(), fetchRetries: 2, fetchRetryMintimeout: 30_000 };
    await expect(fileFetch(patient)('https://nodejs.invalid/dist')).rejects.toMatchObject({
      code: 'DownloadFailed',
    });
  });

  test.each<[string, Buffer, string]>([
    ['a newer glibc than Lambda has', arm64(['GLIBC_2.35']), 'GlibcTooNew'],
    ['another processor', x86_64(), 'WrongArchitecture'],
    ['another C library', elf({ machine: 183, loader: '/lib/ld-musl-aarch64.so.1' }), 'NotGlibc'],
    ['no program', Buffer.from('#!/bin/sh\n'), 'NotElf'],
  ])('fails for one that needs %s', async (_, program, code) => {
    await sites.addDeno('1.46.3', { arm64: program });
    await expect(build('deno', '1.46.3', 'arm64')).rejects.toMatchObject({ code });
  });
});

test.each(['http://example.com/node', 'nodejs.org'])('a site "%s" is refused', async (site) => {
  const lookUp = vendorLookup(
    async () => {
      throw new Error('nothing may be fetched');
    },
    { LAYERS_NODE_SITE: site },
  );
  await expect(lookUp('node', '18.20.4')).rejects.toMatchObject({
    code: 'InvalidSite',
    message: `LAYERS_NODE_SITE: "${site}" is no https address; name a site with the files of https://nodejs.org/dist, or unset it`,
  });
});

test('the sites are those of the vendors', async () => {
  const asked: string[] = [];
  const lookUp = vendorLookup(async (url) => {
    asked.push(url);
    return Buffer.alloc(0);
  }, {});
  await lookUp('node', '18.20.4');
  await lookUp('deno', '1.46.3');
  expect(asked).toEqual([
    'https://nodejs.org/dist/v18.20.4/SHASUMS256.txt',
    'https://github.com/denoland/deno/releases/download/v1.46.3/deno-aarch64-unknown-linux-gnu.zip.sha256sum',
    'https://github.com/denoland/deno/releases/download/v1.46.3/deno-x86_64-unknown-linux-gnu.zip.sha256sum',
  ]);
  expect(await lookUp('tiny', '1.0.0')).toBeUndefined();
});

function breakOff(response: ServerResponse, content: Buffer): void {
  response.writeHead(200, { 'content-length': content.length });
  response.write(content.subarray(0, content.length >> 1), () => response.destroy());
}
