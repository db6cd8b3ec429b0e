import { parse } from 'yaml';
import { z } from 'zod';
import { LayersError } from '../../../errors';

/** A buildspec, version 0.2 (CodeBuild user guide, "Build specification reference"). */

const commands = z
  .union([
    z.array(z.union([z.string(), z.number()]).transform(String)),
    z.string().transform((text) => [text]),
  ])
  .nullish()
  .transform((value) => value ?? []);
const strings = z
  .union([z.array(z.string()), z.string().transform((text) => [text])])
  .nullish()
  .transform((value) => value ?? []);
const yes = z
  .union([z.boolean(), z.enum(['yes', 'no']).transform((value) => value === 'yes')])
  .default(false);
const variables = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String))
  .nullish()
  .transform((value) => value ?? {});

const phase = z.strictObject({
  commands,
  finally: commands,
  'on-failure': z.enum(['ABORT', 'CONTINUE']).optional(),
  /** Accepted and ignored: the machine's own runtimes serve. */
  'runtime-versions': z.unknown().optional(),
});

const artifactSet = z.object({
  files: strings,
  'base-directory': z.string().optional(),
  'exclude-paths': strings,
  'discard-paths': yes,
  'enable-symlinks': yes,
  name: z.string().optional(),
});

const buildspec = z.strictObject({
  version: z.coerce.string().refine((value) => value === '0.2', 'only version 0.2 is supported'),
  env: z
    .strictObject({
      shell: z.enum(['bash', '/bin/sh', 'sh']).optional(),
      variables,
      'parameter-store': variables,
      'exported-variables': strings,
      'git-credential-helper': z.unknown().optional(),
    })
    .default({ variables: {}, 'parameter-store': {}, 'exported-variables': [] }),
  phases: z.strictObject({
    install: phase.optional(),
    pre_build: phase.optional(),
    build: phase.optional(),
    post_build: phase.optional(),
  }),
  artifacts: artifactSet
    .extend({ 'secondary-artifacts': z.record(z.string(), artifactSet).optional() })
    .optional(),
  /** Accepted and ignored: neither changes what a build does. */
  cache: z.unknown().optional(),
  reports: z.unknown().optional(),
});

export type Buildspec = z.infer<typeof buildspec>;
export type BuildPhase = z.infer<typeof phase>;
export type ArtifactSet = z.infer<typeof artifactSet>;
export type PhaseName = keyof Buildspec['phases'];

/**
 * Reads a buildspec written in YAML or JSON.
 *
 * @param origin names the text in messages: `project <name>`, or the file's path
 * @throws LayersError InvalidBuildspec with every problem in one message
 */
export function parseBuildspec(text: string, origin: string): Buildspec {
  let data: unknown;
  try {
    data = parse(text);
  } catch (error) {
    throw new LayersError(
      'InvalidBuildspec',
      `the buildspec of ${origin} is neither YAML nor JSON: ${(error as Error).message}`,
      { cause: error },
    );
  }
  const parsed = buildspec.safeParse(data);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new LayersError(
    'InvalidBuildspec',
    `the buildspec of ${origin} cannot be rehearsed: ${problems.join('; ')}`,
  );
}

/** What a build uploads for one output artifact, or undefined when the buildspec has nothing for it. */
export function artifactSetOf(
  spec: Buildspec,
  name: string,
  isOnlyOutput: boolean,
): ArtifactSet | undefined {
  const secondary = spec.artifacts?.['secondary-artifacts']?.[name];
  return secondary ?? (isOnlyOutput ? spec.artifacts : undefined);
}
