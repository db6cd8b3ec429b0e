import * as fc from 'fast-check';
import { functionDigest, layerDigest } from '../../lib/layers/digest';

const file = (path: string, sha256 = 'a'.repeat(64)) => ({ path, mode: 0o644, bytes: 3, sha256 });
const files = [file('bootstrap'), file('bin/deno'), file('runtime.mjs')];
const metadata = {
  architecture: 'arm64' as const,
  compatibleRuntimes: ['provided.al2023'],
  license: 'MIT',
  description: 'Deno 2.9.5',
  revision: 1,
};

test('the digest is the documented encoding', () => {
  // printf '["lambda-layer","fflate zlib-6 libdeflate-10 1","arm64",["provided.al2023"],"MIT","Deno 2.9.5",1,[["a","0755",3,"00"]]]' | sha256sum
  const one = [{ path: 'a', mode: 0o755, bytes: 3, sha256: '00' }];
  expect(layerDigest(one, metadata)).toBe(
    '32274495c2281db279e6e1fc3cad90e791bf78578bfa2d45e1ce4c1a2b369370',
  );
});

test('the order in which files are found does not matter', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray(files, { minLength: files.length }), (shuffled) => {
      expect(layerDigest(shuffled, metadata)).toBe(layerDigest(files, metadata));
    }),
  );
});

test.each([
  ['one byte of a file', [file('bootstrap', `b${'a'.repeat(63)}`), ...files.slice(1)], {}],
  ['a mode', [{ ...file('bootstrap'), mode: 0o755 }, ...files.slice(1)], {}],
  ['a path', [file('Bootstrap'), ...files.slice(1)], {}],
  ['a file more', [...files, file('extra')], {}],
  ['the architecture', files, { architecture: 'x86_64' as const }],
  ['the licence', files, { license: 'Apache-2.0' }],
  ['the description', files, { description: 'Deno 2.9.6' }],
  ['the compatible runtimes', files, { compatibleRuntimes: ['provided.al2023', 'provided.al2'] }],
  ['the revision', files, { revision: 2 }],
])('%s changes the digest', (_, changedFiles, changedMetadata) => {
  expect(layerDigest(changedFiles, { ...metadata, ...changedMetadata })).not.toBe(
    layerDigest(files, metadata),
  );
});

test('a function never has the digest of a layer', () => {
  expect(functionDigest(files)).not.toBe(layerDigest(files, metadata));
});
