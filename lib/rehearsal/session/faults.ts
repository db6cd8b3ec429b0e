import type { DeliveryConfig, Place } from '../../config';
import { LayersError } from '../../errors';
import { planStages } from '../../plan';
import { planLocally } from '../../preview/preview';
import type { ReleaseFolders } from '../../release/prepare';
import { countFaults, type FaultKind, type FaultRule, setFaults } from '../cloud';
import type { CloudState } from '../daemon';
import type { ActionFault, ActionFaultKind } from '../engine';
import type { EngineClient } from './client';
import { placesOf } from './person';

/** Seconds for which `hang` lets a request wait: as long as the AWS CLI waits for an answer. */
const HANG_SECONDS = 60;

const API_KINDS: readonly FaultKind[] = ['denied', 'throttled', 'error', 'hang'];
const ACTION_KINDS: readonly ActionFaultKind[] = ['killed', 'timed-out'];

/** A fault of `--fault`, of a request or resource, or of an action. */
export type RequestedFault = { readonly text: string } & (
  | { readonly rule: FaultRule }
  | { readonly action: ActionFault }
);

/** A fault, and how often something met it. */
export interface MetFault {
  /** As it was asked for. */
  readonly fault: string;
  readonly met: number;
}

const FORM =
  /^(?<what>[^=@]+)(?:@(?<account>\d{12})\/(?<region>[a-z0-9-]+))?=(?<kind>[a-z-]+)(?::(?<times>[1-9]\d*))?$/;
const REQUEST = /^[a-z0-9-]+:[A-Z][A-Za-z0-9]*$/;
const RESOURCE = /^AWS::[A-Za-z0-9]+::[A-Za-z0-9]+$/;

/**
 * Reads `WHAT[@ACCOUNT/REGION]=KIND[:TIMES]`. WHAT is an IAM action, the type of a stack's resource,
 * or the name of an action of the pipeline.
 *
 * @throws LayersError `InvalidFault`
 */
export function parseFault(text: string): RequestedFault {
  const parts = FORM.exec(text)?.groups;
  if (!parts) {
    throw invalid(
      text,
      'is not a fault; write WHAT[@ACCOUNT/REGION]=KIND[:TIMES], for example lambda:InvokeFunction@222222222222/eu-west-1=denied or Smoke-pilot=killed:1',
    );
  }
  const { what = '', account, region, kind = '' } = parts;
  const times = parts.times ? { times: Number(parts.times) } : {};
  if (REQUEST.test(what) || RESOURCE.test(what)) {
    const known = API_KINDS.find((name) => name === kind);
    if (!known) throw wrongKind(text, kind, 'request or resource', API_KINDS);
    const hang = known === 'hang' ? { seconds: HANG_SECONDS } : {};
    return {
      text,
      rule: { what, kind: known, ...times, ...hang, ...(account && { account, region }) },
    };
  }
  if (what.includes(':')) {
    throw invalid(
      text,
      `has "${what}", which is neither an IAM action such as s3:PutObject nor a resource type such as AWS::SSM::Parameter`,
    );
  }
  const known = ACTION_KINDS.find((name) => name === kind);
  if (!known) throw wrongKind(text, kind, 'action of the pipeline', ACTION_KINDS);
  if (account) throw invalid(text, 'names a place, which an action has already; leave it out');
  return { text, action: { action: what, kind: known, ...times } };
}

/**
 * Refuses a fault that nothing of these configurations can meet.
 *
 * @throws LayersError `InvalidFault`, which names what there is
 */
export function checkFaults(
  faults: readonly RequestedFault[],
  configs: readonly DeliveryConfig[],
  folders: ReleaseFolders,
): void {
  if (faults.length === 0) return;
  const actions = configs.flatMap((config) =>
    planStages(planLocally(config, folders).plan).flatMap((stage) => stage.actions),
  );
  const names = new Set(actions.map(({ name }) => name));
  const places = new Set(configs.flatMap(placesOf).map(placeText));
  for (const fault of faults) {
    if ('action' in fault && !names.has(fault.action.action)) {
      throw invalid(
        fault.text,
        `names no action of the pipeline; its actions are ${[...names].join(', ')}`,
      );
    }
    if (!('rule' in fault)) continue;
    const { account, region } = fault.rule;
    if (account === undefined || region === undefined) continue;
    if (places.has(placeText({ account, region }))) continue;
    throw invalid(
      fault.text,
      `names no place of the configuration; it has ${[...places].join(', ')}`,
    );
  }
}

/** Puts faults in force in place of those before; none ends them all. */
export async function inject(
  cloud: CloudState,
  client: EngineClient,
  faults: readonly RequestedFault[],
): Promise<void> {
  await setFaults(
    cloud,
    faults.flatMap((fault) => ('rule' in fault ? [fault.rule] : [])),
  );
  await client.setFaults(faults.flatMap((fault) => ('action' in fault ? [fault.action] : [])));
}

/** How often each fault in force has been met. */
export async function metFaults(
  cloud: CloudState,
  client: EngineClient,
  faults: readonly RequestedFault[],
): Promise<MetFault[]> {
  if (faults.length === 0) return [];
  const requests = [...(await countFaults(cloud))];
  const actions = [...(await client.countFaults())];
  return faults.map((fault) => ({
    fault: fault.text,
    met: ('rule' in fault ? requests : actions).shift() ?? 0,
  }));
}

function placeText({ account, region }: Place): string {
  return `${account}/${region}`;
}

function wrongKind(
  text: string,
  kind: string,
  what: string,
  kinds: readonly string[],
): LayersError {
  return invalid(text, `has "${kind}", which no ${what} does; choose ${kinds.join(', ')}`);
}

function invalid(text: string, why: string): LayersError {
  return new LayersError('InvalidFault', `--fault "${text}" ${why}`);
}
