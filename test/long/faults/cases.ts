import { deploymentName } from '../../../lib/plan';
import type { FaultRule } from '../../../lib/rehearsal/cloud';
import type { ActionFault } from '../../../lib/rehearsal/engine';
import type { Place } from '../../e2e/support';
import type { Testbed } from '../../testbed';

/** How an action is disturbed. */
export type Kind = 'API error' | 'throttling' | 'time-out' | 'kill';

export interface FaultCase {
  /** Kind of the action, in the words of docs/failures.md. */
  readonly of: string;
  readonly kind: Kind;
  /** What fails, for the test's name. */
  readonly fault: string;
  /** Stage at which the run begins. */
  readonly from: string;
  /** Stage in front of which it ends. @default the end */
  readonly until?: string;
  readonly rules?: readonly FaultRule[];
  readonly actions?: readonly ActionFault[];
  /**
   * - `recovers`: the run succeeds all the same, by retries of the client, the program or the stage
   * - `fails`: it waits for a person, who retries the stage
   * - `goes back`: CodePipeline rolls the release stage back, and a new run releases
   */
  readonly outcome: 'recovers' | 'fails' | 'goes back';
  /** Action that fails. */
  readonly action?: string;
  /** Target that the messages name. */
  readonly target?: Place;
  /** What the messages name as the cause. */
  readonly cause?: RegExp;
  /** What is needed before the retry, beyond the end of the fault: for a stack that is stuck. */
  readonly cure?: (testbed: Testbed) => Promise<unknown>;
}

const HOME: Place = { account: '111111111111', region: 'us-east-1' };
const PILOT: Place = { account: '222222222222', region: 'eu-west-1' };
const CANARY: Place = { account: '333333333333', region: 'eu-west-1' };
const FAR: Place = { account: '333333333333', region: 'us-west-2' };
const REMOTE: Place = { account: '333333333333', region: 'ca-west-1' };

type Failing = Pick<FaultCase, 'fault' | 'rules' | 'cause' | 'kind' | 'actions'>;

/** A request that is refused, throttled or badly answered for good, or not at all. */
function request(
  what: string,
  place: Place,
  kind: FaultRule['kind'],
  cause: RegExp,
  rest: Partial<FaultRule> = {},
): Failing {
  const kinds = {
    denied: 'API error',
    error: 'API error',
    throttled: 'throttling',
    hang: 'time-out',
  };
  const times = rest.times ? `, ${rest.times} times` : '';
  return {
    fault: `${what} ${kind}${times}`,
    kind: kinds[kind] as Kind,
    rules: [{ what, kind, ...place, ...(kind === 'hang' && { seconds: 2 }), ...rest }],
    cause,
  };
}

function disturbed(
  kind: ActionFault['kind'],
  action: string,
  rest: Partial<ActionFault> = {},
): Failing {
  const times = rest.times ? `, ${rest.times} times` : '';
  const after = rest.afterSeconds === undefined ? '' : `, after ${rest.afterSeconds} s`;
  return {
    fault: `${kind}${times}${after}`,
    kind: kind === 'killed' ? 'kill' : 'time-out',
    actions: [{ action, kind, ...rest }],
    cause: kind === 'killed' ? /was killed/ : /did not end within its time/,
  };
}

/** An action that ends while its stack is still being deployed; so the retry finds it moving. */
function stuck(
  kind: ActionFault['kind'],
  action: string,
  resource: string,
  place: Place,
): Failing & Partial<FaultCase> {
  const fault = disturbed(kind, action, { times: 1, afterSeconds: 0.2 });
  return {
    ...fault,
    fault: `${kind} while ${resource} hangs`,
    rules: [{ what: resource, kind: 'hang', seconds: 600, times: 1, ...place }],
    cause: /UPDATE_IN_PROGRESS/,
    cure: (testbed) => testbed.atRest(),
  };
}

/** Cases of one action, each with how it ends. */
function casesOf(
  common: Pick<FaultCase, 'of' | 'from' | 'until' | 'action' | 'target'>,
  ends: Partial<Record<FaultCase['outcome'], readonly (Failing & Partial<FaultCase>)[]>>,
): FaultCase[] {
  return Object.entries(ends).flatMap(([outcome, failing]) =>
    failing.map((one) => ({ ...common, ...one, outcome: outcome as FaultCase['outcome'] })),
  );
}

const SOURCE = casesOf(
  { of: 'Source', from: 'Source', until: 'Build', action: 'Source', target: HOME },
  {
    fails: [
      request('s3:PutObject', HOME, 'denied', /AccessDenied.*s3:PutObject/),
      request('s3:PutObject', HOME, 'error', /InternalError/),
      request('s3:PutObject', HOME, 'throttled', /SlowDown/),
      disturbed('killed', 'Source'),
      disturbed('timed-out', 'Source'),
    ],
  },
);

const BUILD = casesOf(
  { of: 'Build', from: 'Build', until: 'UpdatePipeline', action: 'Build-x86_64', target: HOME },
  {
    fails: [
      request('codebuild:StartBuild', HOME, 'denied', /AccessDenied.*codebuild:StartBuild/),
      request('codebuild:StartBuild', HOME, 'throttled', /Throttling/),
    ],
    recovers: [
      // The only build of this stage: its input, then that of Synth.
      request('s3:GetObject', HOME, 'error', /^$/, { times: 1 }),
      disturbed('killed', 'Build-x86_64', { times: 1 }),
      disturbed('timed-out', 'Build-x86_64', { times: 1 }),
    ],
  },
);

const SYNTH = casesOf(
  { of: 'Synth', from: 'Build', until: 'UpdatePipeline', action: 'Synth', target: HOME },
  {
    fails: [request('codebuild:StartBuild', HOME, 'error', /InternalServerError/, { skip: 1 })],
    recovers: [
      request('codebuild:StartBuild', HOME, 'throttled', /^$/, { skip: 1, times: 2 }),
      disturbed('killed', 'Synth', { times: 1 }),
      disturbed('timed-out', 'Synth', { times: 1 }),
    ],
  },
);

const SELF_MUTATE = casesOf(
  {
    of: 'SelfMutate',
    from: 'UpdatePipeline',
    until: 'Publish',
    action: 'SelfMutate',
    target: HOME,
  },
  {
    fails: [
      request('codebuild:StartBuild', HOME, 'throttled', /Throttling/),
      request('sts:AssumeRole', HOME, 'denied', /AccessDenied|AssumeRole/i),
      request('cloudformation:DescribeStacks', HOME, 'denied', /DescribeStacks/),
      disturbed('killed', 'SelfMutate'),
      disturbed('timed-out', 'SelfMutate'),
    ],
    recovers: [
      request('codebuild:StartBuild', HOME, 'hang', /^$/, { times: 1 }),
      disturbed('killed', 'SelfMutate', { times: 1 }),
    ],
  },
);

const PREFLIGHT = casesOf(
  {
    of: 'Preflight',
    from: 'Publish',
    until: 'pilot-publish',
    action: 'Preflight',
    target: FAR,
  },
  {
    fails: [
      request('lambda:GetAccountSettings', FAR, 'denied', /lambda:GetAccountSettings is denied to/),
      request('lambda:GetAccountSettings', FAR, 'error', /lambda:GetAccountSettings/),
      request('lambda:GetAccountSettings', FAR, 'throttled', /throttled/),
      disturbed('killed', 'Preflight', { afterSeconds: 0.2 }),
      disturbed('timed-out', 'Preflight', { afterSeconds: 0.2 }),
    ],
    recovers: [
      request('lambda:GetAccountSettings', FAR, 'throttled', /^$/, { times: 2 }),
      request('lambda:GetAccountSettings', FAR, 'hang', /^$/, { times: 1 }),
      disturbed('killed', 'Preflight', { times: 1 }),
    ],
  },
);

const ZIPS = casesOf(
  {
    of: 'Publish-zips',
    from: 'Publish',
    until: 'pilot-publish',
    action: 'Publish-zips',
    target: PILOT,
  },
  {
    fails: [
      request('s3:PutObject', PILOT, 'denied', /s3:PutObject on bucket .* is denied to/),
      request('s3:PutObject', PILOT, 'error', /s3:PutObject/),
      request('s3:PutObject', PILOT, 'throttled', /throttled/),
      disturbed('killed', 'Publish-zips', { afterSeconds: 0.3 }),
      disturbed('killed', 'Publish-zips', { afterSeconds: 1 }),
      disturbed('timed-out', 'Publish-zips'),
    ],
    recovers: [
      request('s3:PutObject', PILOT, 'error', /^$/, { times: 2 }),
      request('s3:PutObject', PILOT, 'throttled', /^$/, { times: 2 }),
      request('s3:PutObject', PILOT, 'hang', /^$/, { times: 1 }),
      disturbed('killed', 'Publish-zips', { times: 1 }),
    ],
  },
);

const APPROVAL = casesOf(
  {
    of: 'Approval',
    from: 'production-approval',
    until: 'production-canary',
    action: 'Approve-production',
  },
  {
    fails: [
      disturbed('killed', 'Approve-production', { afterSeconds: 0 }),
      disturbed('timed-out', 'Approve-production', { afterSeconds: 0 }),
    ],
  },
);

const PUBLISH = casesOf(
  {
    of: 'CloudFormation publish',
    from: 'pilot-publish',
    until: 'pilot-release',
    action: deploymentName('publish', PILOT),
    target: PILOT,
  },
  {
    fails: [
      request('cloudformation:UpdateStack', PILOT, 'denied', /AccessDenied.*UpdateStack/),
      request('cloudformation:UpdateStack', PILOT, 'error', /InternalFailure/),
      request('cloudformation:UpdateStack', PILOT, 'throttled', /Throttling/),
      request('cloudformation:DescribeStacks', PILOT, 'denied', /AccessDenied.*DescribeStacks/),
      request('AWS::Lambda::LayerVersion', PILOT, 'denied', /LayerVersion.*AccessDenied/),
      request('AWS::Lambda::LayerVersion', PILOT, 'throttled', /LayerVersion.*Throttling/),
      request('AWS::Lambda::Function', PILOT, 'error', /Function.*InternalFailure/),
      disturbed('killed', deploymentName('publish', PILOT)),
      disturbed('timed-out', deploymentName('publish', PILOT)),
      stuck('killed', deploymentName('publish', PILOT), 'AWS::Lambda::LayerVersion', PILOT),
      stuck('timed-out', deploymentName('publish', PILOT), 'AWS::Lambda::Function', PILOT),
    ],
    recovers: [
      request('cloudformation:UpdateStack', PILOT, 'throttled', /^$/, { times: 1 }),
      request('AWS::Lambda::Function', PILOT, 'error', /^$/, { times: 1 }),
      request('AWS::Lambda::LayerVersion', PILOT, 'hang', /^$/, { times: 1 }),
      disturbed('killed', deploymentName('publish', PILOT), { times: 1 }),
    ],
  },
);

const SMOKE = casesOf(
  {
    of: 'Smoke',
    from: 'pilot-publish',
    until: 'pilot-release',
    action: 'Smoke-pilot',
    target: PILOT,
  },
  {
    fails: [
      request('lambda:InvokeFunction', PILOT, 'denied', /AccessDenied.*lambda:InvokeFunction/),
      request('lambda:InvokeFunction', PILOT, 'error', /lambda:InvokeFunction failed/),
      request('lambda:GetLayerVersion', PILOT, 'throttled', /GetLayerVersion is still throttled/),
      disturbed('killed', 'Smoke-pilot'),
      disturbed('timed-out', 'Smoke-pilot'),
    ],
    recovers: [
      request('lambda:InvokeFunction', PILOT, 'throttled', /^$/, { times: 2 }),
      request('lambda:InvokeFunction', PILOT, 'error', /^$/, { times: 1 }),
      request('lambda:GetFunctionConfiguration', PILOT, 'hang', /^$/, { times: 1 }),
      disturbed('killed', 'Smoke-pilot', { times: 1 }),
    ],
  },
);

const RELEASE = casesOf(
  {
    of: 'CloudFormation release',
    from: 'pilot-release',
    until: 'production-approval',
    action: deploymentName('release', PILOT),
    target: PILOT,
  },
  {
    'goes back': [
      request('cloudformation:UpdateStack', PILOT, 'denied', /AccessDenied.*UpdateStack/, {
        times: 1,
      }),
      request('cloudformation:UpdateStack', PILOT, 'throttled', /Throttling/, { times: 3 }),
      request('AWS::SSM::Parameter', PILOT, 'denied', /Parameter.*AccessDenied/, { times: 1 }),
      request('AWS::SSM::Parameter', PILOT, 'error', /Parameter.*InternalFailure/, {
        times: 1,
        skip: 2,
      }),
      request('AWS::SSM::Parameter', PILOT, 'throttled', /Parameter.*Throttling/, {
        times: 1,
        skip: 3,
      }),
      request(
        'AWS::Lambda::LayerVersionPermission',
        PILOT,
        'error',
        /Permission.*InternalFailure/,
        { times: 1 },
      ),
      disturbed('killed', deploymentName('release', PILOT), { times: 1 }),
      disturbed('timed-out', deploymentName('release', PILOT), { times: 1 }),
    ],
    recovers: [
      request('cloudformation:UpdateStack', PILOT, 'throttled', /^$/, { times: 1 }),
      request('AWS::SSM::Parameter', PILOT, 'hang', /^$/, { times: 1 }),
    ],
  },
);

const CANARY_STAGE = casesOf(
  {
    of: 'Canary',
    from: 'production-canary',
    until: 'production-publish',
    action: 'Smoke-production-canary',
    target: CANARY,
  },
  {
    fails: [
      request('lambda:InvokeFunction', CANARY, 'denied', /AccessDenied.*lambda:InvokeFunction/),
      request('lambda:GetLayerVersion', CANARY, 'throttled', /GetLayerVersion is still throttled/),
      disturbed('killed', 'Smoke-production-canary'),
      disturbed('timed-out', 'Smoke-production-canary'),
      {
        ...request('AWS::Lambda::LayerVersion', CANARY, 'error', /LayerVersion.*InternalFailure/),
        action: deploymentName('publish', CANARY),
      },
    ],
  },
);

const REMOTE_PUBLISH = casesOf(
  {
    of: 'Publish-remote',
    from: 'far-publish',
    until: 'far-release',
    action: 'Publish-remote-far',
    target: REMOTE,
  },
  {
    fails: [
      request('cloudformation:UpdateStack', REMOTE, 'denied', /UpdateStack/),
      request('AWS::Lambda::LayerVersion', REMOTE, 'error', /LayerVersion.*InternalFailure/),
      disturbed('killed', 'Publish-remote-far', { afterSeconds: 2 }),
      disturbed('timed-out', 'Publish-remote-far', { afterSeconds: 1 }),
    ],
    recovers: [request('cloudformation:UpdateStack', REMOTE, 'throttled', /^$/, { times: 2 })],
  },
);

const REMOTE_RELEASE = casesOf(
  {
    of: 'Release-remote',
    from: 'far-release',
    action: 'Release-remote-far',
    target: REMOTE,
  },
  {
    'goes back': [
      request('cloudformation:UpdateStack', REMOTE, 'denied', /UpdateStack/, { times: 1 }),
      request('AWS::SSM::Parameter', REMOTE, 'error', /Parameter.*InternalFailure/, {
        times: 1,
        skip: 2,
      }),
      disturbed('killed', 'Release-remote-far', { times: 1, afterSeconds: 2 }),
      disturbed('timed-out', 'Release-remote-far', { times: 1, afterSeconds: 1 }),
    ],
  },
);

export const CASES: readonly FaultCase[] = [
  ...SOURCE,
  ...BUILD,
  ...SYNTH,
  ...SELF_MUTATE,
  ...PREFLIGHT,
  ...ZIPS,
  ...APPROVAL,
  ...PUBLISH,
  ...SMOKE,
  ...RELEASE,
  ...CANARY_STAGE,
  ...REMOTE_PUBLISH,
  ...REMOTE_RELEASE,
];

export const nameOf = ({ of, kind, fault, outcome }: FaultCase) =>
  `${of}, ${kind}: ${fault}: ${outcome}`;
