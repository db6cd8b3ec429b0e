import { existsSync } from 'node:fs';
import Table from 'cli-table3';
import { Command } from 'commander';
import { readConfig } from '../config';
import { LayersError } from '../errors';
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
      const where = place(options);
      const layers = await listLayers(where);
      if (options.json) {
        console.log(JSON.stringify(layers, undefined, 2));
        return;
      }
      const table = new Table({
        head: ['runtime', 'arch', 'version', 'arn'],
        style: { head: [], border: [], compact: true },
      });
      table.push(...layers.map((l) => [l.runtime, l.architecture, l.version, l.arn]));
      console.log(layers.length > 0 ? table.toString() : `no layers under ${where.namespace}`);
    });
}

function withPlace(command: Command): Command {
  return command
    .option('--region <region>', 'region (default: AWS_REGION, or the region of the profile)')
    .option(
      '--namespace <prefix>',
      'prefix of the SSM parameters (default: as in cdk.json, or /layers)',
    )
    .option('--account-role <arn>', 'role to look through, in another account')
    .option('--json', 'print JSON');
}

/** The namespace that this folder delivers to; `/layers` where it delivers nothing. */
function configuredNamespace(): string {
  try {
    return existsSync('cdk.json') ? readConfig().namespace : '/layers';
  } catch (error) {
    // The CDK app of somebody who uses the layers.
    if (error instanceof LayersError && error.code === 'MissingConfiguration') return '/layers';
    throw error;
  }
}

function place(options: { region?: string; namespace?: string; accountRole?: string }) {
  const { region, namespace = configuredNamespace(), accountRole } = options;
  return { region, namespace, roleArn: accountRole };
}
