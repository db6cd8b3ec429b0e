import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { GetParameterCommand, ParameterNotFound, SSMClient } from '@aws-sdk/client-ssm';
import pMap from 'p-map';
import { extractZip } from '../../archive';
import { type DeliveryConfig, type Place, REHEARSAL_VARIABLE, targetsOf } from '../../config';
import { cloudEnvironment, LocalCloud } from '../cloud';
import type { CloudState } from '../daemon';
import { runLogged } from './process';

/** What a person does once, before the first push: with the real CDK CLI, as root of each account. */
export interface PersonOptions {
  readonly cloud: CloudState;
  readonly config: DeliveryConfig;
  /** Folder with the commit's tree and its node_modules. */
  readonly checkout: string;
  readonly logDir: string;
  /** Folder for what the CLI leaves in its temporary folder. */
  readonly temporary: string;
}

/** Every place that must be bootstrapped: home first, then the targets, each once. */
export function placesOf(config: DeliveryConfig): Place[] {
  const all = [config.home, ...config.waves.flatMap(targetsOf)];
  const seen = new Map(all.map((place) => [`${place.account}/${place.region}`, place]));
  return [...seen.values()];
}

/** The places that `cdk bootstrap` has not seen yet. */
export async function notBootstrapped(cloud: CloudState, config: DeliveryConfig): Promise<Place[]> {
  const api = await LocalCloud.attach({ endpoint: cloud.endpoint, caFile: cloud.caFile });
  const missing = await pMap(placesOf(config), async (place) => {
    const client = new SSMClient(api.sdkConfig(place.account, place.region));
    const Name = `/cdk-bootstrap/${config.qualifier}/version`;
    try {
      await client.send(new GetParameterCommand({ Name }));
      return [];
    } catch (error) {
      if (error instanceof ParameterNotFound) return [place];
      throw error;
    } finally {
      client.destroy();
    }
  });
  return missing.flat();
}

/** `cdk bootstrap` of one place, trusting the home account where it is another one. */
export async function bootstrap(options: PersonOptions, place: Place): Promise<void> {
  const { config } = options;
  const foreign = place.account !== config.home.account;
  await cdk(options, place, `bootstrapping ${place.account}/${place.region}`, [
    'bootstrap',
    `aws://${place.account}/${place.region}`,
    '--qualifier',
    config.qualifier,
    '--cloudformation-execution-policies',
    'arn:aws:iam::aws:policy/AdministratorAccess',
    ...(config.qualifier === 'hnb659fds'
      ? []
      : ['--toolkit-stack-name', `CDKToolkit-${config.qualifier}`]),
    ...(foreign ? ['--trust', config.home.account] : []),
    // Outside an app: nothing of it is needed here.
    '--app',
    '',
  ]);
}

export async function bootstrapAll(
  options: PersonOptions,
  places: readonly Place[],
  onDone: (place: Place, seconds: number) => void,
): Promise<void> {
  await pMap(
    places,
    async (place) => {
      const started = performance.now();
      await bootstrap(options, place);
      onDone(place, (performance.now() - started) / 1000);
    },
    { concurrency: 2 },
  );
}

/** `cdk deploy` of the delivery pipeline; from then on it updates itself. */
export async function deployPipeline(options: PersonOptions): Promise<void> {
  await cdk(options, options.config.home, 'deploying the pipeline', [
    'deploy',
    'Delivery',
    '--require-approval',
    'never',
    '--progress',
    'events',
  ]);
}

/**
 * Unpacks a commit, and gives it the packages and the built layers of the checkout that it came
 * from: what a person has there already.
 */
export async function prepareCheckout(
  zipPath: string,
  root: string,
  dir: string,
  logDir: string,
): Promise<void> {
  await extractZip(zipPath, dir);
  if (sameFile('package-lock.json', root, dir) && existsSync(join(root, 'node_modules'))) {
    symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'), 'dir');
  } else {
    await runLogged('npm', ['ci'], {
      cwd: dir,
      env: process.env,
      logFile: join(logDir, 'npm-ci.log'),
      what: 'installing the packages of the commit',
    });
  }
  mkdirSync(join(root, 'dist/layers'), { recursive: true });
  mkdirSync(join(dir, 'dist'), { recursive: true });
  const link = join(dir, 'dist/layers');
  if (!lstatSync(link, { throwIfNoEntry: false }))
    symlinkSync(join(root, 'dist/layers'), link, 'dir');
}

function sameFile(name: string, ...dirs: [string, string]): boolean {
  const [one, other] = dirs.map((dir) => join(dir, name));
  return existsSync(one) && existsSync(other) && readFileSync(one).equals(readFileSync(other));
}

async function cdk(
  { cloud, checkout, logDir, temporary }: PersonOptions,
  place: Place,
  what: string,
  args: readonly string[],
): Promise<void> {
  await runLogged(join(checkout, 'node_modules/.bin/cdk'), [...args, '--no-color', '--ci'], {
    cwd: checkout,
    env: { ...process.env, ...cloudVariables(cloud, place), ...CDK_QUIET, TMPDIR: temporary },
    logFile: join(logDir, `${args[0]}-${place.account}-${place.region}.log`),
    what,
  });
}

/** No calls home: neither would arrive, nor is a rehearsal anyone's usage. No warnings either. */
const CDK_QUIET = {
  CDK_DISABLE_CLI_TELEMETRY: 'true',
  CDK_NOTICES: 'false',
  CDK_DISABLE_VERSION_CHECK: 'true',
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
};

/** Variables that point AWS CLIs and SDKs at the local cloud, as root of an account. */
export function cloudVariables(
  cloud: CloudState,
  { account, region }: Place,
): Record<string, string> {
  return {
    ...cloudEnvironment(cloud.endpoint, cloud.caFile, account, region),
    AWS_ENDPOINT_URL_CODEPIPELINE: cloud.engineUrl,
    [REHEARSAL_VARIABLE]: '1',
  };
}
