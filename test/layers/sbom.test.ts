import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Ajv from 'ajv';
import { findRuntime, loadRuntimes } from '../../lib/layers';
import { layerSbom } from '../../lib/layers/sbom';
import { realLayer } from './fixtures';

const SCHEMAS = join(dirname(require.resolve('@cyclonedx/cyclonedx-library')), '../res/schema');
const schema = (name: string) => JSON.parse(readFileSync(join(SCHEMAS, name), 'utf8'));

describe.each(['node', 'deno', 'bun'])('bill of materials of %s', (name) => {
  const runtime = findRuntime(name, loadRuntimes());
  beforeAll(() => realLayer(name), 120_000);

  test('is what CycloneDX says that one is', async () => {
    const { manifest } = await realLayer(name);
    // Addresses and dates are checked by another library, which is not here.
    const ajv = new Ajv({ strict: false, validateFormats: false });
    for (const part of ['spdx.SNAPSHOT.schema.json', 'jsf-0.82.SNAPSHOT.schema.json']) {
      // They refer to one another by file name, below the address of the whole.
      ajv.addSchema({ ...schema(part), $id: `http://cyclonedx.org/schema/${part}` });
    }
    const valid = ajv.compile(schema('bom-1.6.SNAPSHOT.schema.json'));
    const bom = JSON.parse(await layerSbom(manifest, runtime));
    valid(bom);
    expect(valid.errors).toBeNull();
    expect(bom.specVersion).toBe('1.6');
    valid({ ...bom, components: [{ name: 'without a type' }] });
    expect(valid.errors).not.toBeNull();
  });

  test('names interpreter and files, each with its digest and licence', async () => {
    const { manifest } = await realLayer(name);
    const { version, license, files } = manifest;
    const { metadata, components, dependencies } = JSON.parse(await layerSbom(manifest, runtime));
    expect(metadata.component).toMatchObject({ type: 'platform', name: manifest.name, version });
    const [{ content }] = metadata.component.hashes;
    expect(Buffer.from(content, 'hex').toString('base64')).toBe(manifest.codeSha256);
    expect(dependencies).toContainEqual({ ref: manifest.name, dependsOn: [name] });

    const [interpreter, ...others] = components.filter(
      ({ type }: { type: string }) => type === 'application',
    );
    expect(others).toEqual([]);
    expect(interpreter).toMatchObject({
      name,
      version,
      licenses: [{ expression: license }],
      purl: expect.stringMatching(new RegExp(`^pkg:[a-z]+/${name}@${version}$`)),
    });
    const listed = components
      .filter(({ type }: { type: string }) => type === 'file')
      .map(({ name, hashes }: { name: string; hashes: { content: string }[] }) => [
        name,
        hashes[0].content,
      ]);
    const expected = files.map(({ path, sha256 }) => [path, sha256]);
    expect(listed.sort()).toEqual(expected.sort());
  });

  test('is the same text each time', async () => {
    const { manifest } = await realLayer(name);
    expect(await layerSbom(manifest, runtime)).toBe(await layerSbom({ ...manifest }, runtime));
  });
});
