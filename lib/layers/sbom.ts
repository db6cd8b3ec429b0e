import type { LayerManifest } from '../release';
import { layerContents } from './contents';
import type { Runtime } from './runtimes';

/**
 * A layer's bill of materials, CycloneDX 1.6 as JSON (https://cyclonedx.org): the interpreter, under
 * the names that databases of vulnerabilities know it by, and every file. The same layer gives the
 * same text, so it has no date.
 */
export async function layerSbom(manifest: LayerManifest, runtime: Runtime): Promise<string> {
  // Only those that want one wait for the library to load.
  const { Enums, Models, Serialize, Spec } = await import('@cyclonedx/cyclonedx-library');
  const sha256 = (hex: string) =>
    new Models.HashDictionary([[Enums.HashAlgorithm['SHA-256'], hex]]);
  const license = (expression: string) =>
    new Models.LicenseRepository([new Models.LicenseExpression(expression)]);

  const { name, version, description, codeSha256, source } = manifest;
  const zip = Buffer.from(codeSha256, 'base64').toString('hex');
  const layer = new Models.Component(Enums.ComponentType.Platform, name, {
    version,
    description,
    bomRef: name,
    hashes: sha256(zip),
  });
  const interpreter = new Models.Component(Enums.ComponentType.Application, runtime.name, {
    version,
    bomRef: runtime.name,
    purl: runtime.knownAs?.purl?.replace('{version}', version),
    cpe: runtime.knownAs?.cpe?.replace('{version}', version),
    licenses: license(manifest.license),
    externalReferences: new Models.ExternalReferenceRepository([
      new Models.ExternalReference(
        'url' in source ? source.url : `https://www.npmjs.com/package/${source.package}`,
        Enums.ExternalReferenceType.Distribution,
        { comment: source.integrity },
      ),
    ]),
  });
  const files = layerContents(manifest, runtime).map(
    (file) =>
      new Models.Component(Enums.ComponentType.File, file.path, {
        bomRef: file.path,
        description: `from ${file.origin}`,
        hashes: sha256(file.sha256),
        licenses: license(file.license),
      }),
  );
  layer.dependencies.add(interpreter.bomRef);
  const bom = new Models.Bom({
    metadata: new Models.Metadata({ component: layer }),
    components: new Models.ComponentRepository([interpreter, ...files]),
  });
  const normalize = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6);
  return `${new Serialize.JsonSerializer(normalize).serialize(bom, { sortLists: true, space: 2 })}\n`;
}
