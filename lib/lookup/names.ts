import { LayersError } from '../errors';
import { ARCHITECTURES, type Architecture, meantArchitecture, parseLayerName } from '../release';

/** A layer as SSM names it. */
export interface LookupResult {
  readonly runtime: string;
  readonly architecture: Architecture;
  /** Exact version of the interpreter where the ARN tells it, else the last part of the name. */
  readonly version: string;
  /** ARN of the layer version. */
  readonly arn: string;
  /** Name of the SSM parameter. */
  readonly parameter: string;
  readonly region: string;
}

/** @throws LayersError `UnknownArchitecture`, with Lambda's own word for it */
export function parseArchitecture(value: string): Architecture {
  const architecture = ARCHITECTURES.find((known) => known === value);
  if (architecture) return architecture;
  const meant = meantArchitecture(value);
  throw new LayersError(
    'UnknownArchitecture',
    meant
      ? `architecture "${value}" is spelled ${meant} by Lambda; use --arch ${meant}`
      : `architecture "${value}" is unknown; use --arch ${ARCHITECTURES.join(' or --arch ')}`,
  );
}

/** @throws LayersError `InvalidRegion` */
export function parseRegion(value: string): string {
  if (/^[a-z]{2,4}(-[a-z]+)+-\d$/.test(value)) return value;
  throw new LayersError(
    'InvalidRegion',
    `region "${value}" is not a region's name; write it like eu-west-1`,
  );
}

/** @throws LayersError `InvalidRoleArn` */
export function parseRoleArn(value: string): string {
  if (/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/.test(value)) return value;
  throw new LayersError(
    'InvalidRoleArn',
    `role "${value}" is not the ARN of a role; write it like arn:aws:iam::123456789012:role/name`,
  );
}

/**
 * A prefix of parameters, without a slash at its end.
 *
 * @throws LayersError `InvalidNamespace`
 */
export function parseNamespace(value: string): string {
  const namespace = value.replace(/\/+$/, '');
  if (/^(\/[\w.-]+)+$/.test(namespace)) return namespace;
  throw new LayersError(
    'InvalidNamespace',
    `namespace "${value}" is not a prefix of parameters; write it like /layers`,
  );
}

/**
 * One part of a parameter's name.
 *
 * @throws LayersError `InvalidName`
 */
export function parseNamePart(field: 'runtime' | 'version', value: string): string {
  if (/^[\w.-]+$/.test(value)) return value;
  throw new LayersError(
    'InvalidName',
    `${field} "${value}" has characters that no parameter's name has; write it like ${field === 'runtime' ? 'deno' : 'latest, 24 or 24.21.0'}`,
  );
}

/** `2.9.5` from `arn:…:layer:deno-2_9_5-arm64-3f2a9c1b7d04:1`; undefined for any other form. */
export function versionOfArn(arn: string): string | undefined {
  const [, name = ''] = /:layer:([^:]+):\d+$/.exec(arn) ?? [];
  return parseLayerName(name)?.version;
}
