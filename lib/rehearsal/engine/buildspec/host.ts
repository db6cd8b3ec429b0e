import { execFile } from 'node:child_process';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { exists } from '../../tools/cache';

/**
 * What a build may see of the machine's own environment, and nothing else:
 *
 * - `PATH`, without the `node_modules/.bin` folders that npm scripts put there
 * - the locale, and the homes of version managers whose shims are on PATH
 * - what makes package registries reachable: proxies, certificate bundles, pip's variables, and
 *   npm's and pip's user configuration and the user's caches by path, because the build has a HOME of its own
 *
 * Credentials and AWS settings never come from here.
 */
const ALLOWED: readonly RegExp[] = [
  /^(LANG|LC_[A-Z]+|TZ)$/,
  /^(PYENV_ROOT|NVM_DIR|VOLTA_HOME|ASDF_DATA_DIR|ASDF_DIR)$/,
  /^(https?_proxy|no_proxy|all_proxy|HTTPS?_PROXY|NO_PROXY|ALL_PROXY)$/,
  /^(SSL_CERT_FILE|SSL_CERT_DIR|NIX_SSL_CERT_FILE|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE|NODE_EXTRA_CA_CERTS)$/,
  /^PIP_[A-Z_]+$/,
];

/** Variables of the machine that every build gets. */
export async function hostEnvironment(
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Record<string, string>> {
  const allowed = Object.entries(environment).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && ALLOWED.some((name) => name.test(entry[0])),
  );
  return {
    ...(await pipSettings(environment)),
    ...Object.fromEntries(allowed),
    ...(await npmSettings(environment)),
    PATH: withoutNodeModules(environment.PATH ?? '/usr/bin:/bin'),
  };
}

function withoutNodeModules(path: string): string {
  return path
    .split(delimiter)
    .filter((folder) => !/node_modules|node-gyp-bin/.test(folder))
    .join(delimiter);
}

/**
 * npm finds its configuration through HOME and its prefix, and the build changes both: the paths
 * that are in force now are handed over instead.
 */
async function npmSettings(environment: NodeJS.ProcessEnv): Promise<Record<string, string>> {
  const { stdout } = await promisify(execFile)(
    'npm',
    ['config', 'get', 'cache', 'userconfig', 'globalconfig', '--no-workspaces'],
    { cwd: homedir(), env: environment },
  );
  const settings: Record<string, string> = {
    // Versions are locked: asking the registry about each package again would only cost time.
    npm_config_prefer_offline: 'true',
    npm_config_update_notifier: 'false',
    npm_config_fund: 'false',
    npm_config_audit: 'false',
  };
  for (const line of stdout.split('\n')) {
    const [key, value] = [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)];
    if (key && value) settings[`npm_config_${key}`] = value;
  }
  return settings;
}

async function pipSettings(environment: NodeJS.ProcessEnv): Promise<Record<string, string>> {
  const home = environment.HOME ?? homedir();
  const config = environment.XDG_CONFIG_HOME ?? join(home, '.config');
  const cache = environment.XDG_CACHE_HOME ?? join(home, '.cache');
  const settings: Record<string, string> = {
    PIP_CACHE_DIR: join(cache, 'pip'),
    XDG_CACHE_HOME: cache,
  };
  for (const file of [join(config, 'pip', 'pip.conf'), join(home, '.pip', 'pip.conf')]) {
    if (await exists(file)) return { ...settings, PIP_CONFIG_FILE: file };
  }
  return settings;
}
