import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LayersError, reasonOf } from '../errors';

/** Options in the spelling of pacote and npm-registry-fetch. */
export type NpmOptions = Record<string, unknown>;

/** npm's name to pacote's; values pass through unchanged. */
const OPTION_NAMES: Readonly<Record<string, string>> = {
  ca: 'ca',
  cert: 'cert',
  'fetch-retries': 'fetchRetries',
  'fetch-retry-factor': 'fetchRetryFactor',
  'fetch-retry-maxtimeout': 'fetchRetryMaxtimeout',
  'fetch-retry-mintimeout': 'fetchRetryMintimeout',
  'fetch-timeout': 'timeout',
  'https-proxy': 'httpsProxy',
  key: 'key',
  'local-address': 'localAddress',
  maxsockets: 'maxSockets',
  noproxy: 'noProxy',
  offline: 'offline',
  proxy: 'proxy',
  registry: 'registry',
  'replace-registry-host': 'replaceRegistryHost',
  'strict-ssl': 'strictSSL',
};

/**
 * The user's npm configuration as npm itself resolves it (files, environment, defaults), so that a
 * private registry, a proxy or a company's certificate authority works here as in `npm install`.
 *
 * @throws LayersError `NpmConfigUnreadable`
 */
export async function npmOptions(environment = process.env): Promise<NpmOptions> {
  const config = await npmConfig(environment);
  const options: NpmOptions = {};
  for (const [key, value] of Object.entries(config)) {
    const name = key.startsWith('@') && key.endsWith(':registry') ? key : OPTION_NAMES[key];
    if (name !== undefined && value !== null) options[name] = value;
  }
  options.cache = join(String(config.cache), '_cacache');
  if (typeof config.cafile === 'string') {
    options.ca = certificates(config.cafile) ?? options.ca;
  }
  const files = [config.globalconfig, config.userconfig, join(process.cwd(), '.npmrc')];
  return { ...options, ...credentials(files.map(String), environment) };
}

async function npmConfig(environment: NodeJS.ProcessEnv): Promise<Record<string, unknown>> {
  try {
    const { stdout } = await promisify(execFile)('npm', ['config', 'list', '--json'], {
      env: environment,
      maxBuffer: 10_000_000,
    });
    return JSON.parse(stdout);
  } catch (cause) {
    const reason = reasonOf(cause);
    throw new LayersError(
      'NpmConfigUnreadable',
      `"npm config list --json" failed: ${reason}; check that npm is on the PATH, and can read its configuration and its cafile`,
      { cause },
    );
  }
}

/** Undefined where there is no such file, which npm ignores. */
function certificates(file: string): string[] | undefined {
  const text = readIfThere(file);
  return text === undefined ? undefined : (text.match(/-----BEGIN[\s\S]+?-----END [^\n]+/g) ?? []);
}

/** npm lists everything but its credentials (`//registry.example.com/:_authToken`). */
function credentials(files: readonly string[], environment: NodeJS.ProcessEnv): NpmOptions {
  const found: NpmOptions = {};
  for (const line of files.flatMap(linesOf)) {
    const [, key, value] = /^\s*(\/\/[^=\s]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (key && value) found[key] = expand(value.replace(/^(["'])(.*)\1$/, '$2'), environment);
  }
  for (const [name, value] of Object.entries(environment)) {
    const key = /^npm_config_(\/\/.+)$/i.exec(name)?.[1];
    if (key) found[key] = value;
  }
  return found;
}

function linesOf(file: string): string[] {
  return readIfThere(file)?.split('\n') ?? [];
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new LayersError(
      'NpmConfigUnreadable',
      `${file}, which npm's configuration names, cannot be read (${code}); make it a readable file, or correct what "npm config list" says`,
      { cause },
    );
  }
}

function expand(value: string, environment: NodeJS.ProcessEnv): string {
  return value.replace(/\$\{([^}]+)\}/g, (whole, name) => environment[name] ?? whole);
}
