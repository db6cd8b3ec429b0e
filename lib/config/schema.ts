import { z } from 'zod';
import { ARCHITECTURES, meantArchitecture } from '../release';
import { REGIONS } from './regions';
import { scheduleFault } from './schedule';

const account = z
  .string()
  .regex(/^\d{12}$/, { error: 'is not an account id; write its 12 digits in quotes' });

const region = z.string().refine((value) => REGIONS.has(value), {
  error: (issue) => {
    const nearest = nearestRegion(String(issue.input));
    const cure = nearest ? `did you mean ${nearest}?` : 'write one like eu-west-1';
    return `is not a region that Lambda offers; ${cure}`;
  },
});

const architecture = z.enum(['arm64', 'x86_64'], {
  error: (issue) => {
    const meant = meantArchitecture(String(issue.input));
    return meant
      ? `is not Lambda's word for it; write ${meant}`
      : `is not an architecture; use ${ARCHITECTURES.join(' or ')}`;
  },
});

const slug = (what: string) =>
  z.string().regex(/^[a-z][a-z0-9-]{0,19}$/, {
    error: `is not a valid ${what}; use 1 to 20 lowercase letters, digits and hyphens, starting with a letter`,
  });

/** Systems Manager takes 15 levels; `<runtime>/<arch>/releases/<digest>` are four. */
const MAX_NAMESPACE_LEVELS = 11;

/** Names with `<runtime>/<arch>/releases/<digest>` and the target's ARN stay below its 1011. */
const MAX_NAMESPACE_CHARACTERS = 700;

/** What `git check-ref-format --branch` says, and not a whole reference. */
function isBranch(name: string): boolean {
  const forbidden = /[\p{Cc}\s~^:?*[\\]|\.\.|@\{|\/\/|^[-/]|^refs\/|[/.]$|(^|\/)\.|\.lock(\/|$)/u;
  return name.length <= 255 && name !== '@' && !forbidden.test(name);
}

const glob = z
  .string()
  .min(1, { error: 'is empty; write a path pattern such as assets/**' })
  .max(255, { error: 'is too long; CodePipeline takes patterns of 255 characters' });

/** Where pushes come from. */
const source = z.strictObject({
  /** Connection to GitHub; without it `repository` is one of CodeCommit, in home. */
  connectionArn: z
    .string()
    .regex(
      /^arn:[a-z-]+:(codeconnections|codestar-connections):[a-z0-9-]+:\d{12}:connection\/[\w-]+$/,
      {
        error:
          'is not the ARN of a connection; create one under Developer Tools > Connections and paste its ARN',
      },
    )
    .optional(),
  repository: z.string().regex(/^[\w.-]+(\/[\w.-]+)?$/, {
    error: 'is not a repository; write owner/name',
  }),
  branch: z
    .string()
    .min(1, { error: 'is empty; write the branch to deliver' })
    .refine((value) => value === '' || isBranch(value), {
      error: 'is not the name of a branch; write it as git branch shows it, such as main',
    })
    .default('main'),
  /** Git patterns of a push that start the pipeline; none: every push to the branch does. */
  paths: z
    .strictObject({
      include: z
        .array(glob)
        .max(8, { error: 'has too many patterns; CodePipeline takes 8' })
        .default([]),
      exclude: z
        .array(glob)
        .max(8, { error: 'has too many patterns; CodePipeline takes 8' })
        .default([]),
    })
    .default({ include: [], exclude: [] }),
});

const runtime = z.strictObject({
  /** Folder under assets/runtimes. */
  name: z.string().regex(/^[a-z][a-z0-9]{0,15}$/, {
    error: 'is not a runtime; use the name of a folder under assets/runtimes',
  }),
  /** Exact versions, the one that `latest` points at included. */
  versions: z
    .array(
      z.string().regex(/^(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}$/, {
        error: 'is not an exact version; write for example 2.9.5',
      }),
    )
    .min(1, { error: 'is empty; name at least one version' }),
  architectures: z
    .array(architecture)
    .min(1, { error: 'is empty; name arm64, x86_64 or both' })
    .default(['arm64', 'x86_64']),
});

const paused = z.strictObject({
  /** Paused in this account only; in all of the wave's accounts when absent. */
  account: account.optional(),
  region,
  reason: z
    .string()
    .trim()
    .min(3, { error: 'is too short; say why the target is paused' })
    .refine((text) => !text.includes('#{'), {
      error: 'has #{, which is a variable to CodePipeline, whose approvals show it; leave that out',
    }),
  /** Day on which the pause began. */
  since: z.iso.date({ error: 'is not a day; write it like 2026-11-22' }),
});

const canary = z.strictObject({
  /** The wave's first account when absent. */
  account: account.optional(),
  region,
});

const wave = z.strictObject({
  name: slug('wave name'),
  accounts: z.array(account).min(1, { error: 'is empty; name at least one account' }),
  regions: z.array(region).min(1, { error: 'is empty; name at least one region' }),
  /** A person approves before anything of the wave is touched. */
  approval: z.boolean({ error: 'is not true or false' }).default(false),
  /** Published and smoke-tested before the other targets of the wave. */
  canary: canary.optional(),
  paused: z.array(paused).default([]),
});

/** Who may use the released layer versions. */
const sharing = z.discriminatedUnion(
  'with',
  [
    z.strictObject({ with: z.literal('private') }),
    z.strictObject({
      with: z.literal('accounts'),
      accounts: z.array(account).min(1, { error: 'is empty; name the accounts to share with' }),
    }),
    z.strictObject({
      with: z.literal('organization'),
      organizationId: z.string().regex(/^o-[a-z0-9]{10,32}$/, {
        error: 'is not an organization id; it looks like o-a1b2c3d4e5',
      }),
    }),
    z.strictObject({ with: z.literal('public') }),
  ],
  { error: 'is not a way to share; set "with" to private, accounts, organization or public' },
);

const notifications = z.strictObject({
  /** Who is written to; each has to confirm the subscription once. */
  emails: z
    .array(z.email({ error: 'is not an e-mail address; it looks like ops@example.com' }))
    .default([]),
});

const monitoring = z.strictObject({
  /** CloudWatch asks money for the fourth of an account. */
  dashboard: z.boolean({ error: 'is not true or false' }).default(false),
});

export const deliverySchema = z.strictObject({
  /** Prefix of stack, role and function names. */
  name: slug('name').default('layers'),
  source,
  /** Account and region that run the pipeline. */
  home: z.strictObject({ account, region }),
  /** Qualifier of the CDK bootstrap, the same in every target. */
  qualifier: z
    .string()
    .regex(/^[a-z0-9]{1,10}$/, {
      error: 'is not a bootstrap qualifier; use 1 to 10 lowercase letters and digits',
    })
    .default('hnb659fds'),
  /** Prefix of the SSM parameters. */
  namespace: z
    .string()
    .regex(/^(\/[A-Za-z0-9_.-]+)+$/, { error: 'is not a parameter path; it looks like /layers' })
    .refine((value) => !/^\/(aws|ssm)/i.test(value), {
      error: 'is reserved by Systems Manager; choose a path that does not start with /aws or /ssm',
    })
    .refine((value) => value.split('/').length - 1 <= MAX_NAMESPACE_LEVELS, {
      error: `has too many levels; Systems Manager takes 15, and the layers need 4 of them: use at most ${MAX_NAMESPACE_LEVELS}`,
    })
    .refine((value) => value.length <= MAX_NAMESPACE_CHARACTERS, {
      error: `is too long; use at most ${MAX_NAMESPACE_CHARACTERS} characters`,
    })
    .default('/layers'),
  runtimes: z.array(runtime).min(1, { error: 'is empty; name at least one runtime' }),
  waves: z.array(wave).min(1, { error: 'is empty; name at least one wave' }),
  sharing: sharing.default({ with: 'private' }),
  /** A topic that tells of failed executions and of approvals that wait. */
  notifications: notifications.optional(),
  /** Alarms, which the topic of `notifications` hears of. */
  monitoring: monitoring.optional(),
  /** When the pipeline runs without a push: EventBridge's expression, in UTC. */
  schedule: z
    .string()
    .refine((value) => scheduleFault(value) === undefined, {
      error: (issue) => scheduleFault(String(issue.input)),
    })
    .optional(),
});

/** The whole configuration, defaults filled in. */
export type DeliveryConfig = z.output<typeof deliverySchema>;
export type WaveConfig = DeliveryConfig['waves'][number];
export type RuntimeConfig = DeliveryConfig['runtimes'][number];
export type SharingConfig = DeliveryConfig['sharing'];

/** The region that begins like this; none where that would be a guess. */
function nearestRegion(wrong: string): string | undefined {
  const common = (name: string) => {
    let length = 0;
    while (length < name.length && name[length] === wrong[length]) length++;
    return length;
  };
  const nearest = [...REGIONS.keys()].reduce((best, name) =>
    common(name) > common(best) ? name : best,
  );
  return common(nearest) >= 3 ? nearest : undefined;
}
