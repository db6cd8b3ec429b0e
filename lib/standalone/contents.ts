import { hasStandaloneFlags } from './flags';

/**
 * What the app holds:
 * - `delivery`: the delivery pipeline alone; what `cdk synth` and `cdk deploy Delivery` see
 * - `standalone`: the stacks that the flags ask for, without the pipeline
 * - `names`: every stack there can be, with nothing built, for commands that only need names
 */
export type AppContents = 'delivery' | 'standalone' | 'names';

/**
 * The CDK CLI does not tell an app which stacks were selected. It does tell for which stacks assets
 * are wanted: for none with commands that need names only, `cdk list` and `cdk destroy`.
 */
const WANTED_ASSETS = 'aws:cdk:bundling-stacks';

/** @param context the app's whole context, command line included */
export function appContents(context: Readonly<Record<string, unknown>>): AppContents {
  const wanted = context[WANTED_ASSETS];
  if (Array.isArray(wanted) && wanted.length === 0) return 'names';
  return hasStandaloneFlags(context) ? 'standalone' : 'delivery';
}
