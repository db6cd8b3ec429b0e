import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LayersError, reasonOf } from '../errors';
import type { DeliveryConfig } from './schema';
import { parseConfig } from './validate';

/** Context key that holds the configuration, and prefix of the keys that override single values. */
export const CONTEXT_KEY = 'delivery';

/**
 * Environment variable that carries overrides into the pipeline's own synth, as a JSON object.
 * Without it the first self-mutation would undo what `cdk deploy -c` set.
 */
export const OVERRIDES_VARIABLE = 'DELIVERY_OVERRIDES';

/** Dotted key below `delivery` (`source.branch`) to the value as typed. */
export type Overrides = Readonly<Record<string, string>>;

/** Takes `delivery.<path>` keys out of a CDK context; `-c delivery.source.branch=next` makes one. */
export function overridesIn(context: Readonly<Record<string, unknown>>): Overrides {
  const prefix = `${CONTEXT_KEY}.`;
  return Object.fromEntries(
    Object.entries(context)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [
        key.slice(prefix.length),
        typeof value === 'string' ? value : JSON.stringify(value),
      ]),
  );
}

/** Overrides that `OVERRIDES_VARIABLE` carries. */
export function overridesFromEnvironment(environment = process.env): Overrides {
  const text = environment[OVERRIDES_VARIABLE];
  if (!text) return {};
  try {
    const values: unknown = JSON.parse(text);
    if (typeof values !== 'object' || values === null || Array.isArray(values)) throw values;
    return overridesIn(
      Object.fromEntries(
        Object.entries(values).map(([key, value]) => [`${CONTEXT_KEY}.${key}`, value]),
      ),
    );
  } catch (cause) {
    throw new LayersError(
      'InvalidOverrides',
      `environment variable ${OVERRIDES_VARIABLE} is not a JSON object: ${text}; unset it`,
      { cause },
    );
  }
}

/**
 * The configuration out of a CDK context, single values overridden.
 *
 * @throws LayersError `MissingConfiguration`, `InvalidOverrides`, `InvalidConfiguration`
 */
export function configFromContext(raw: unknown, overrides: Overrides = {}): DeliveryConfig {
  if (raw === undefined) {
    throw new LayersError(
      'MissingConfiguration',
      `context key "${CONTEXT_KEY}" is missing; run from the folder with cdk.json, or add the key to its context`,
    );
  }
  const merged: unknown = structuredClone(raw);
  for (const [path, text] of Object.entries(overrides)) setPath(merged, path, text);
  return parseConfig(merged);
}

/**
 * The configuration out of `cdk.json`, for programs that run outside the CDK CLI.
 *
 * @param directory folder with cdk.json
 */
export function readConfig(directory = process.cwd()): DeliveryConfig {
  const file = join(directory, 'cdk.json');
  return configFromContext(
    readJson(file, 'cdk.json', 'correct it, or run from the folder that has it').context?.[
      CONTEXT_KEY
    ],
    overridesFromEnvironment(),
  );
}

type JsonObject = { context?: Record<string, unknown> };

/** Reads a JSON file, with an error that names it. */
export function readJson(
  file: string,
  shown = file,
  cure = 'name a file with a JSON object',
): JsonObject {
  return parseJson(() => readFileSync(file, 'utf8'), shown, cure);
}

/** {@link readJson}, of a text that comes from elsewhere. */
export function parseJson(read: () => string, shown: string, cure: string): JsonObject {
  try {
    const value = JSON.parse(read().replace(/^\uFEFF/, ''));
    if (typeof value === 'object' && value !== null) return value;
    throw new SyntaxError('it holds no JSON object');
  } catch (cause) {
    const reason = reasonOf(cause);
    throw new LayersError(
      'UnreadableConfiguration',
      `${shown} cannot be read: ${reason}; ${cure}`,
      { cause },
    );
  }
}

function setPath(root: unknown, path: string, text: string): void {
  const keys = path.split('.');
  const last = keys.pop() as string;
  let node = root;
  for (const key of keys) {
    assertField(node, key, path);
    node[key] ??= {};
    node = node[key];
  }
  assertField(node, last, path);
  node[last] = parseValue(text);
}

/** @throws LayersError `InvalidOverrides` where `key` is no place for a value */
function assertField(
  node: unknown,
  key: string,
  path: string,
): asserts node is Record<string, unknown> {
  const cannot = (why: string) =>
    new LayersError('InvalidOverrides', `${CONTEXT_KEY}.${path} cannot be set: ${why}`);
  if (typeof node !== 'object' || node === null) {
    throw cannot(`what "${key}" belongs to is a single value; name a field that exists`);
  }
  if (Array.isArray(node) && !(/^\d+$/.test(key) && Number(key) <= node.length)) {
    throw cannot(`"${key}" is no place in a list of ${node.length}; count from 0`);
  }
  if (key in Object.prototype) throw cannot(`"${key}" is no field; name one that exists`);
}

/** Lists, objects and booleans as JSON; everything else, account ids with their zeros above all, as text. */
function parseValue(text: string): unknown {
  if (!/^(\[|\{|true$|false$)/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
