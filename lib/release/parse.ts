import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { LayersError } from '../errors';
import { ARCHITECTURES, type ReleasePlan } from './model';

const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits');
const sha256Base64 = z
  .string()
  .regex(/^[A-Za-z0-9+/]{43}=$/, 'must be a SHA-256 in base64, 44 characters');
const bytes = z.int().positive();
const text = z.string().min(1);
const roleArn = z
  .string()
  .regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/\S+$/, 'must be the ARN of a role');

const layer = z.object({
  schemaVersion: z.literal(1),
  runtime: text,
  version: text,
  architecture: z.enum(ARCHITECTURES),
  name: z.string().regex(/^[A-Za-z0-9_-]{1,140}$/, 'must be a layer name'),
  digest: sha256Hex,
  codeSha256: sha256Base64,
  zipBytes: bytes,
  unzippedBytes: bytes,
  license: text,
  description: z.string(),
  compatibleRuntimes: z.array(text),
  source: z.object({ package: text, version: text, integrity: text }),
});

const example = z.object({
  runtime: text,
  digest: sha256Hex,
  codeSha256: sha256Base64,
  zipBytes: bytes,
  handler: text,
});

const target = z.object({
  account: z.string().regex(/^\d{12}$/, 'must be 12 digits'),
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d+$/, 'must be a region'),
  partition: z.string().regex(/^aws[a-z-]*$/, 'must be a partition'),
  wave: text,
  bucket: text,
  publishRoleArn: roleArn,
  lookupRoleArn: roleArn,
  smokeRoleArn: roleArn,
  layers: z.array(z.object({ name: text, arn: text, functionName: text })).min(1),
});

const releasePlan = z
  .object({
    schemaVersion: z.literal(1),
    homeRegion: text,
    namespace: z.string().startsWith('/'),
    publishStack: text,
    releaseStack: text,
    layers: z.array(layer).min(1),
    examples: z.array(example),
    targets: z.array(target),
  })
  .superRefine((plan, context) => {
    const names = new Set(plan.layers.map(({ name }) => name));
    plan.targets.forEach(({ partition, region, account, layers }, t) => {
      layers.forEach(({ name, arn }, l) => {
        const path = ['targets', t, 'layers', l];
        if (!names.has(name)) {
          context.addIssue({
            code: 'custom',
            path: [...path, 'name'],
            message: `"${name}" is none of the plan's layers`,
          });
        }
        const expected = `arn:${partition}:lambda:${region}:${account}:layer:${name}:1`;
        if (arn !== expected) {
          context.addIssue({
            code: 'custom',
            path: [...path, 'arn'],
            message: `"${arn}" must be ${expected}`,
          });
        }
      });
    });
  });

/**
 * Checks the value of a `release.json`; `origin` names it in messages.
 *
 * @throws LayersError `PlanInvalid`, with every error of the plan in one message
 */
export function parseReleasePlan(value: unknown, origin: string): ReleasePlan {
  const result = releasePlan.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.map(
    ({ path, message }) => `\n  ${path.length > 0 ? path.join('.') : 'plan'}: ${message}`,
  );
  throw new LayersError(
    'PlanInvalid',
    `${origin} is not a release plan; write it anew with cdk synth:${issues.join('')}`,
    { cause: result.error },
  );
}

/**
 * Reads and checks a `release.json`.
 *
 * @throws LayersError `PlanNotFound`, `PlanInvalid`
 */
export async function readReleasePlan(file: string): Promise<ReleasePlan> {
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (cause) {
    throw new LayersError(
      'PlanNotFound',
      `release plan "${file}" cannot be read (${(cause as NodeJS.ErrnoException).code}); give --plan the release.json that cdk synth writes`,
      { cause },
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (cause) {
    throw new LayersError(
      'PlanInvalid',
      `${file} is not JSON (${(cause as Error).message}); write it anew with cdk synth`,
      { cause },
    );
  }
  return parseReleasePlan(value, file);
}
