import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { LayersError, reasonOf } from '../errors';
import { problemsOf } from '../problems';
import { GLIBC_LIMITS } from './bases';

/** Folder of the runtimes that this project ships. */
export const RUNTIMES_ROOT = resolve(__dirname, '../../assets/runtimes');

/** Lambda cuts longer descriptions off with an error. */
const MAX_DESCRIPTION = 256;

const integrity = z.string().regex(/^sha512-[A-Za-z0-9+/]{86}==$/, {
  error: 'is not a sha512 integrity; "npx layers pin" writes it',
});

const path = z
  .string()
  .regex(/^[A-Za-z0-9_@.-]+(\/[A-Za-z0-9_@.-]+)*$/, {
    error: 'is not a relative path of plain characters with forward slashes',
  })
  .refine((value) => !value.split('/').some((part) => part === '..' || part === '.'), {
    error: 'must not contain "." or ".." segments',
  });

const fileName = z.string().regex(/^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/, {
  error: 'is not a plain file name',
});

const perArchitecture = <T extends z.ZodType>(value: T) =>
  z.strictObject({ arm64: value, x86_64: value });

const schema = z.strictObject({
  /** What Lambda stores as the layer version's description; `{version}` stands for the version. */
  description: z
    .string()
    .min(1, { error: 'is empty; write for example "Deno {version}"' })
    .max(MAX_DESCRIPTION, { error: `is too long; Lambda takes ${MAX_DESCRIPTION} characters` }),
  /** SPDX identifier of the interpreter's licence. */
  license: z
    .string()
    .regex(/^[A-Za-z0-9.+-]+( (AND|OR|WITH) [A-Za-z0-9.+-]+)*$/, {
      error: 'is not an SPDX licence expression, for example MIT',
    })
    .max(512, { error: 'is too long; Lambda takes 512 characters' }),
  /** Lambda's identifiers of the base images that the interpreter runs on. */
  compatibleRuntimes: z
    .array(
      z.string().refine((value) => value in GLIBC_LIMITS, {
        error: `is not a known base; use ${Object.keys(GLIBC_LIMITS).join(', ')}`,
      }),
    )
    .min(1, { error: 'is empty; name the bases that the interpreter runs on' }),
  /** Goes into the digest: a higher number gives the same content a new layer name. */
  revision: z
    .int({ error: 'is not a whole number' })
    .min(1, { error: 'is too small; begin with 1' }),
  /** npm package that holds the interpreter. */
  packages: perArchitecture(z.string().min(1, { error: 'is empty; name a package' })),
  binary: z.strictObject({
    /** Path inside the npm package. */
    path,
    /** Name under `bin/` in the layer. */
    name: fileName,
    /** Whether to drop symbols and debug sections. */
    strip: z.boolean(),
  }),
  /** Licence text that ships in the layer: out of the npm package, or out of this folder. */
  licenseFile: z.strictObject({
    from: z.enum(['package', 'folder'], { error: 'is neither package nor folder' }),
    path,
  }),
  /** Entry beside runtime.json of what speaks to the Runtime API; its bundle goes into the layer. */
  shim: fileName.refine((name) => name !== 'bootstrap' && name !== 'runtime.json', {
    error: 'must not be the bootstrap or runtime.json itself',
  }),
  /** Of files that a handler's name may stand for; without them none is looked for at synth. */
  handlerExtensions: z
    .array(z.string().regex(/^\.[a-z]+$/, { error: 'is not an extension, for example .js' }))
    .optional(),
  example: z.strictObject({
    /** Lambda handler string. */
    handler: z.string().regex(/^[^\s.]+\.[^\s]+$/, { error: 'is not <file>.<function>' }),
    /** Memory of the example function in MB. */
    memoryMb: z
      .int({ error: 'is not a whole number' })
      .min(128, { error: 'is too small; Lambda gives 128 or more' })
      .max(10240, { error: 'is too large; Lambda gives 10240 at most' }),
  }),
  /** What databases of vulnerabilities call the interpreter; `{version}` stands for the version. */
  knownAs: z
    .strictObject({
      purl: z
        .string()
        .regex(/^pkg:[a-z]+\/\S+@\{version\}$/, {
          error: 'is not a package URL of a version, for example pkg:cargo/deno@{version}',
        })
        .optional(),
      cpe: z
        .string()
        .regex(/^cpe:2\.3:a:[^:]+:[^:]+:\{version\}(:[^:]+){7}$/, {
          error:
            'is not a CPE 2.3 of a version, for example cpe:2.3:a:deno:deno:{version}:*:*:*:*:*:*:*',
        })
        .optional(),
    })
    .optional(),
  /** Exact version to the pinned integrity of each architecture's npm tarball. */
  versions: z
    .record(
      z.string().regex(/^\d+\.\d+\.\d+$/, { error: 'is not an exact version, for example 2.9.5' }),
      perArchitecture(integrity),
    )
    .default({}),
});

/** One folder under `assets/runtimes`. */
export interface Runtime extends z.output<typeof schema> {
  /** The folder's name, `deno`. */
  readonly name: string;
  /** Absolute path of the folder. */
  readonly folder: string;
}

/**
 * Reads every runtime folder below `root`: a folder with a runtime.json is a runtime.
 *
 * @throws LayersError `NoRuntimes`, `InvalidRuntime` (all faults of a file in one message)
 */
export function loadRuntimes(
  root = RUNTIMES_ROOT,
  options: {
    /** Whether a runtime may have no version yet: "layers pin" is what adds the first one. */
    readonly unpinned?: boolean;
  } = {},
): Runtime[] {
  if (!existsSync(root)) {
    throw new LayersError('NoRuntimes', `folder ${root} does not exist; add one folder a runtime`);
  }
  const runtimes = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .map((name) => loadRuntime(name, join(root, name)));
  const [without] = runtimes.filter(({ versions }) => Object.keys(versions).length === 0);
  if (without && !options.unpinned) {
    throw new LayersError(
      'InvalidRuntime',
      `${join(without.folder, 'runtime.json')}: versions: names no version; "npx layers pin ${without.name}" adds the newest`,
    );
  }
  if (runtimes.length === 0) {
    throw new LayersError(
      'NoRuntimes',
      `folder ${root} holds no runtime; add one folder a runtime`,
    );
  }
  return runtimes;
}

/** The runtime of that name. @throws LayersError `UnknownRuntime`, which lists what exists */
export function findRuntime(name: string, runtimes: readonly Runtime[]): Runtime {
  const found = runtimes.find((runtime) => runtime.name === name);
  if (found) return found;
  const names = runtimes.map((runtime) => runtime.name).join(', ');
  throw new LayersError('UnknownRuntime', `there is no runtime "${name}"; there are ${names}`);
}

function loadRuntime(name: string, folder: string): Runtime {
  const file = join(folder, 'runtime.json');
  if (!/^[a-z][a-z0-9]{0,15}$/.test(name)) {
    throw new LayersError(
      'InvalidRuntime',
      `folder ${folder} is no runtime's name; use 1 to 16 lowercase letters and digits`,
    );
  }
  const raw = readRuntimeJson(file);
  const parsed = schema.safeParse(raw);
  if (parsed.success) return { ...parsed.data, name, folder };
  const faults = problemsOf(parsed.error.issues, raw).map(
    ({ field, message }) => `${field}: ${message}`,
  );
  throw new LayersError('InvalidRuntime', `${file}: ${faults.join('; ')}`);
}

function readRuntimeJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    const reason = reasonOf(cause);
    throw new LayersError('InvalidRuntime', `${file} cannot be read as JSON: ${reason}`, { cause });
  }
}
