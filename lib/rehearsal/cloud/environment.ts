import { join } from 'node:path';
import type { CloudEnvironment, LocalCloudOptions } from './model';

/** Variables of the MiniStack process: its settings, and of the user's none that AWS tools read. */
export function startEnvironment(options: LocalCloudOptions, port: number): NodeJS.ProcessEnv {
  const { stateDir, hooksUrl, outliveStarter } = options;
  return {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    LANG: 'C.UTF-8',
    TMPDIR: join(stateDir, 'tmp'),
    STATE_DIR: join(stateDir, 'state'),
    S3_DATA_DIR: join(stateDir, 's3'),
    PERSIST_STATE: '0',
    GATEWAY_PORT: String(port),
    BIND_HOST: '127.0.0.1',
    USE_SSL: '1',
    AUTH: 'true',
    IOT_MTLS_ENABLED: '0',
    SFTP_ENABLED: '0',
    REHEARSAL_HOOKS_URL: hooksUrl,
    ...(outliveStarter ? {} : { REHEARSAL_PARENT: String(process.pid) }),
  };
}

/** Keeps AWS tools from the user's files, and from asking the machine for credentials. */
const NO_SETTINGS = {
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_EC2_METADATA_DISABLED: 'true',
};

/**
 * Lets this process, and all that it starts, see nothing that leads AWS tools to a real account, and
 * reach the local cloud without a proxy.
 */
export function isolate(environment = process.env): void {
  for (const name of Object.keys(environment)) {
    if (/^(AWS_(?!SDK_JS_)|CDK_)/.test(name)) delete environment[name];
  }
  Object.assign(environment, NO_SETTINGS, withoutProxy(environment));
}

/** A 12-digit access key id is the root user of that account. */
export function cloudEnvironment(
  endpoint: string,
  caFile: string,
  account: string,
  region: string,
): CloudEnvironment {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: account,
    AWS_SECRET_ACCESS_KEY: 'rehearsal',
    // An empty value hides a session of the user's.
    AWS_SESSION_TOKEN: '',
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    ...NO_SETTINGS,
    AWS_PAGER: '',
    AWS_CA_BUNDLE: caFile,
    NODE_EXTRA_CA_CERTS: caFile,
    ...withoutProxy(),
  };
}

/** Variables that lead to this machine past the user's proxies; none where there are no proxies. */
export function withoutProxy(environment = process.env): Record<string, string> {
  const isProxied = Object.entries(environment).some(
    ([name, value]) => value && /^(https?|all)_proxy$/i.test(name),
  );
  const named = environment.NO_PROXY || environment.no_proxy || '';
  if (!isProxied || named === '*') return {};
  const hosts = new Set([...named.split(','), 'localhost', '127.0.0.1']);
  const list = [...hosts].filter(Boolean).join(',');
  return { NO_PROXY: list, no_proxy: list };
}
