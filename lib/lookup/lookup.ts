import { LayersError } from '../errors';
import { ARCHITECTURES, type Architecture, layerArnFault } from '../release';
import {
  type LookupResult,
  parseArchitecture,
  parseNamePart,
  parseNamespace,
  versionOfArn,
} from './names';
import { type Parameter, ParameterStore, type ParameterStoreProps } from './parameters';

export interface ListLayersProps extends ParameterStoreProps {
  /** Prefix of the parameters. @default /layers */
  readonly namespace?: string;
}

export interface LookupArnProps extends ListLayersProps {
  /** `deno` */
  readonly runtime: string;
  /** @default arm64 */
  readonly architecture?: string;
  /** `latest`, a major version or an exact one. @default latest */
  readonly version?: string;
}

/**
 * ARN of a layer version, from the SSM parameter that stands for it.
 *
 * @throws LayersError `UnknownRuntime`, `UnknownVersion`, `UnknownArchitecture`, `InvalidParameter`,
 * `NoRegion`, `InvalidRegion`, `InvalidRoleArn`, `RoleNotAssumable`, `NoCredentials`, `ExpiredCredentials`,
 * `AccessDenied`, `Throttled`, `NoSuchEndpoint` and other failures of a request
 */
export async function lookupArn(props: LookupArnProps): Promise<LookupResult> {
  const runtime = parseNamePart('runtime', props.runtime);
  const architecture = parseArchitecture(props.architecture ?? 'arm64');
  const version = parseNamePart('version', props.version ?? 'latest');
  const namespace = parseNamespace(props.namespace ?? '/layers');
  const store = await ParameterStore.open(props);
  try {
    const parameter = `${namespace}/${runtime}/${architecture}/${version}`;
    const arn = await store.get(parameter);
    if (arn === undefined) {
      throw await explainMissing(store, namespace, { runtime, architecture, version });
    }
    const { region } = store;
    // A person may have written any text.
    if (layerArnFault(arn)) {
      throw new LayersError(
        'InvalidParameter',
        `parameter ${parameter} in ${region} is "${arn}", which is not the ARN of a layer version; ask whoever changed it to put it right`,
      );
    }
    return {
      runtime,
      architecture,
      version: versionOfArn(arn) ?? version,
      arn,
      parameter,
      region,
    };
  } finally {
    store.close();
  }
}

/**
 * All layers that have parameters in a region: newest first, `latest` before its versions. There
 * `version` is the last part of the parameter's name.
 *
 * @throws LayersError as {@link lookupArn}, without the `Unknown…` ones
 */
export async function listLayers(props: ListLayersProps = {}): Promise<LookupResult[]> {
  const namespace = parseNamespace(props.namespace ?? '/layers');
  const store = await ParameterStore.open(props);
  try {
    const parameters = await store.list(namespace, { recursive: true });
    return pointers(namespace, parameters, store.region).sort(
      (a, b) =>
        compare(a.runtime, b.runtime) ||
        compare(a.architecture, b.architecture) ||
        Number(b.version === 'latest') - Number(a.version === 'latest') ||
        b.version.localeCompare(a.version, 'en', { numeric: true }),
    );
  } finally {
    store.close();
  }
}

/** `<namespace>/<runtime>/<arch>/<version>`; the deeper `releases/<digest>` are left out. */
function pointers(
  namespace: string,
  parameters: readonly Parameter[],
  region: string,
): LookupResult[] {
  return parameters.flatMap(({ name, value }) => {
    const parts = name.slice(namespace.length + 1).split('/');
    const [runtime, arch, version] = parts;
    const architecture = ARCHITECTURES.find((known) => known === arch);
    if (parts.length !== 3 || !architecture) return [];
    return [{ runtime, architecture, version, arn: value, parameter: name, region }];
  });
}

/** Says what there is instead, as far as the caller may see it. */
async function explainMissing(
  store: ParameterStore,
  namespace: string,
  wanted: { runtime: string; architecture: Architecture; version: string },
): Promise<LayersError> {
  const { runtime, architecture, version } = wanted;
  const name = `${namespace}/${runtime}/${architecture}/${version}`;
  try {
    const siblings = await store.list(`${namespace}/${runtime}/${architecture}`, {
      recursive: false,
    });
    if (siblings.length > 0) {
      const versions = siblings.map((sibling) => sibling.name.split('/').at(-1)).sort();
      return new LayersError(
        'UnknownVersion',
        `version "${version}" of ${runtime} for ${architecture} is not in ${store.region}; there are: ${versions.join(', ')}`,
      );
    }
    const all = pointers(namespace, await store.list(namespace, { recursive: true }), store.region);
    const known = [...new Set(all.map((layer) => `${layer.runtime} (${layer.architecture})`))];
    return new LayersError(
      'UnknownRuntime',
      known.length > 0
        ? `runtime "${runtime}" for ${architecture} is not in ${store.region}; there are: ${known.sort().join(', ')}`
        : `${store.region} has no layers under ${namespace}; check --region, --namespace and the account`,
    );
  } catch (error) {
    if (!(error instanceof LayersError) || error.code !== 'AccessDenied') throw error;
    return new LayersError(
      'UnknownRuntime',
      `parameter ${name} is not in ${store.region}, and what else is there could not be listed: ${error.message}`,
      { cause: error },
    );
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
