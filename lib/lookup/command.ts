import { existsSync } from 'node:fs';
import Table from 'cli-table3';
import { Command } from 'commander';
import { readConfig } from '../config';
import { listLayers, lookupArn } from './lookup';

/** `layers arn <runtime>`: prints one ARN. */
export function arnCommand(): Command {
  return withPlace(new Command('arn'))
    .description('print the ARN of a layer')
    .argument('<runtime>', 'runtime, deno')
    .option('--arch <architecture>', 'arm64 or x86_64', 'arm64')
    .option('--version <version>', 'latest, a major version or an exact one', 'latest')
    .action(async (runtime: string, options) => {
      const { arch: architecture, version } = options;
      const result = await lookupArn({ ...place(options), runtime, architecture, version });
      console.log(options.json ? JSON.stringify(result, undefined, 2) : result.arn);
    });
}

/** `layers list`: prints all layers of a region. */
export function listCommand(): Command {
  return withPlace(new Command('list'))
    .description('list the layers of a region')
    .action(async (options) => {
      const layers = await listLayers(place(options));
      if (options.json) {
        console.log(JSON.stringify(layers, undefined, 2));
        return;
      }
      const table = new Table({
        head: ['runtime', 'arch', 'version', 'arn'],
        style: { head: [], border: [], compact: true },
      });
      table.push(...layers.map((l) => [l.runtime, l.architecture, l.version, l.arn]));
      console.log(layers.length > 0 ? table.toString() : `no layers under ${options.namespace}`);
    });
}

function withPlace(command: Command): Command {
  return command
    .option('--region <region>', 'region (default: AWS_REGION, or the region of the profile)')
    .option('--namespace <prefix>', 'prefix of the SSM parameters', configuredNamespace())
    .option('--account-role <arn>', 'role to look through, in another account')
    .option('--json', 'print JSON');
}

/** The namespace of the project that the command runs in, where it runs in one. */
function configuredNamespace(): string {
  return existsSync('cdk.json') ? readConfig().namespace : '/layers';
}

function place(options: { region?: string; namespace: string; accountRole?: string }) {
  const { region, namespace, accountRole } = options;
  return { region, namespace, roleArn: accountRole };
}
