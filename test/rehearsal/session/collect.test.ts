import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Invocation } from '../../../lib/rehearsal/daemon';
import type { ActionReport, ExecutionReport } from '../../../lib/rehearsal/engine';
import {
  contradictions,
  failureReasons,
  notRunOf,
  reportExecutions,
  reportTargets,
  smokeChecks,
} from '../../../lib/rehearsal/session/collect';
import { arnIn, CHECK, CONFIG, empty, LAYER, released } from './fixture';

const LATEST = '/layers/deno/arm64/latest';

describe('contradictions between the plan and what a successful run left', () => {
  test('there are none where every target holds what was planned', () => {
    expect(contradictions(CONFIG, [LAYER], [released('us-east-1')])).toEqual([]);
  });

  test('a paused target may hold anything', () => {
    expect(contradictions(CONFIG, [LAYER], [empty('eu-west-1')])).toEqual([]);
  });

  test('fails on a layer that is configured, and was not released', () => {
    expect(contradictions(CONFIG, [], [empty('us-east-1')])).toEqual([
      'deno 2.9.5 arm64 is configured, and was not released',
    ]);
  });

  test('fails on a parameter that is missing, and on one that points elsewhere', () => {
    const state = released('us-east-1');
    const { [`${LATEST}`]: _, ...others } = state.parameters;
    const parameters = { ...others, '/layers/deno/arm64/2': 'arn:of:another' };
    expect(contradictions(CONFIG, [LAYER], [{ ...state, parameters }])).toEqual([
      `222222222222/us-east-1: parameter /layers/deno/arm64/2 is arn:of:another, the plan says ${arnIn('us-east-1')}`,
      `222222222222/us-east-1: parameter ${LATEST} is missing, the plan says ${arnIn('us-east-1')}`,
    ]);
  });

  test('fails on a parameter that nothing planned', () => {
    const state = released('us-east-1');
    const parameters = { ...state.parameters, '/layers/deno/arm64/1.0.0': 'arn:of:an:old:one' };
    expect(contradictions(CONFIG, [LAYER], [{ ...state, parameters }])).toEqual([
      '222222222222/us-east-1: parameter /layers/deno/arm64/1.0.0 is there, the plan has none',
    ]);
  });

  test('fails on a layer version with other bytes, and on one that does not exist', () => {
    const state = released('us-east-1');
    const other = { ...state, layerVersions: { [arnIn('us-east-1')]: 'others' } };
    expect(contradictions(CONFIG, [LAYER], [other]).join('\n')).toContain(
      'has CodeSha256 others, the manifest says bytes',
    );
    const none = { ...state, layerVersions: {} };
    expect(contradictions(CONFIG, [LAYER], [none]).join('\n')).toContain('has CodeSha256 none');
  });
});

describe('the targets of a report', () => {
  const common = { config: CONFIG, checks: [], invocations: [] };

  test('everything is new in a target that was empty', () => {
    const [target] = reportTargets({
      ...common,
      before: [empty('us-east-1')],
      after: [released('us-east-1')],
    });
    expect(target.published).toEqual([arnIn('us-east-1')]);
    expect(target.changedParameters).toEqual(Object.keys(target.parameters).sort());
    expect(target.changedParameters).toHaveLength(4);
  });

  test('nothing is new where versions of parameters and layer versions are the same', () => {
    const [target] = reportTargets({
      ...common,
      before: [released('us-east-1')],
      after: [released('us-east-1')],
    });
    expect(target).toMatchObject({ published: [], changedParameters: [] });
  });

  test('a parameter that was written again with the same value counts as changed', () => {
    const after = released('us-east-1');
    const [target] = reportTargets({
      ...common,
      before: [released('us-east-1')],
      after: [{ ...after, parameterVersions: { ...after.parameterVersions, [LATEST]: 2 } }],
    });
    expect(target.changedParameters).toEqual([LATEST]);
  });

  test('a smoke check says how the function was run last, and not-run where it never was', () => {
    const functionArn = `arn:aws:lambda:us-east-1:222222222222:function:${CHECK.functionName}`;
    const call = (how: Invocation['how']): Invocation => ({
      functionArn,
      how,
      isolation: 'namespace',
      milliseconds: 5,
    });
    const smoke = (invocations: Invocation[]) =>
      reportTargets({
        ...common,
        checks: [CHECK, { ...CHECK, region: 'eu-west-1' }],
        invocations,
        before: [],
        after: [released('us-east-1')],
      })[0].smoke;
    const { layer, ok, milliseconds, message } = CHECK;
    expect(smoke([call('native'), call('emulated')])).toEqual([
      { layer, how: 'emulated', ok, milliseconds, message },
    ]);
    expect(smoke([])).toEqual([expect.objectContaining({ how: 'not-run' })]);
  });
});

describe('smoke checks out of the logs', () => {
  let dir: string;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'collect-'));
  });

  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  function action(name: string, file: string, lines: readonly string[]): ActionReport {
    const log = join(dir, file);
    writeFileSync(log, lines.join('\n'));
    return {
      name,
      category: 'Build',
      provider: 'CodeBuild',
      account: '111111111111',
      region: 'us-east-1',
      role: 'arn:aws:iam::111111111111:role/layers-smoke',
      attempt: 1,
      status: 'Succeeded',
      message: '',
      log,
    };
  }

  function execution(...actions: ActionReport[]): ExecutionReport {
    return {
      id: 'one',
      pipeline: { account: '111111111111', region: 'us-east-1', name: 'layers' },
      version: 1,
      trigger: { type: 'Push', detail: '' },
      status: 'Succeeded',
      message: '',
      startTime: '2026-01-01T00:00:00Z',
      stages: [{ name: 'pilot-publish', status: 'Succeeded', actions }],
    };
  }

  test('the newest check of a layer in a target counts', () => {
    const line = (check: object) => `smoke-report: ${JSON.stringify([check])}`;
    const failed = { ...CHECK, ok: false, message: 'wrong answer' };
    const checks = smokeChecks([
      execution(action('Smoke-pilot', 'one', ['…', line(failed), ''])),
      execution(action('Smoke-pilot', 'two', ['…', line(CHECK), ''])),
    ]);
    expect(checks).toEqual([CHECK]);
  });

  test('other actions, and a smoke action that ended before it could report, have none', () => {
    const line = `smoke-report: ${JSON.stringify([CHECK])}`;
    expect(
      smokeChecks([
        execution(
          action('Publish-zips', 'one', [line]),
          action('Smoke-pilot', 'two', ['error [RoleNotAssumable]: …']),
        ),
      ]),
    ).toEqual([]);
  });

  test('the newest attempt of a failed build tells its error, or its last lines', () => {
    const failed = (name: string, file: string, ...printed: string[]): ActionReport => ({
      ...action(name, file, [
        '[Container] Running command npm ci',
        'added 1 package',
        '[Container] Running command node tools.cjs',
        ...printed,
        '[Container] Command did not exit successfully node tools.cjs exit status 1',
        '[Container] Phase complete: BUILD State: FAILED',
      ]),
      status: 'Failed',
    });
    const error = [
      'error [PublishFailed]: 1 of 6 targets failed:',
      '  222222222222/eu-west-1: denied',
    ];
    expect(
      failureReasons([
        execution(
          failed('Publish-zips', 'one', ...error),
          failed('Publish-zips', 'two', 'sending', ...error, ''),
          failed('Synth', 'three', 'only this'),
          failed('SelfMutate', 'four', 'a', 'b', 'c', 'd'),
          failed(
            'Publish-remote-far',
            'eight',
            'layers-publish: updating stack...',
            '❌  layers-publish failed to deploy',
            '‣ DeploymentError: ❌ Stack layers-publish:',
            'Delivery/publish-333333333333-ca-west-1/Layers/Versions  (AWS::Lambda::LayerVersion Versions)',
            '  no luck',
            'Source Location: new PublishStage (/src/stages/publish-stage.ts:29:22)',
            '                 Array.map (:)',
          ),
          { ...failed('Build-arm64', 'five', ...error), status: 'Succeeded' },
          // Killed: no command has told why.
          {
            ...action('Preflight', 'six', ['[Container] Running command x', 'text']),
            status: 'Failed',
          },
          { ...failed('Smoke-pilot', 'seven', ...error) },
        ),
      ]),
    ).toEqual([
      `Publish-zips: ${error.join('\n')}`,
      'Synth: only this',
      'SelfMutate: b\nc\nd',
      [
        'Publish-remote-far: ‣ DeploymentError: ❌ Stack layers-publish:',
        'Delivery/publish-333333333333-ca-west-1/Layers/Versions  (AWS::Lambda::LayerVersion Versions)',
        '  no luck',
      ].join('\n'),
    ]);
  });

  test('executions keep the trigger, the commit and each action, in order', () => {
    const [reported] = reportExecutions([
      { ...execution(action('Smoke-pilot', 'one', [])), commitId: 'abc', seconds: 3 },
    ]);
    expect(reported).toMatchObject({ id: 'one', trigger: 'Push', commit: 'abc', seconds: 3 });
    expect(reported.stages[0].actions.map(({ name }) => name)).toEqual(['Smoke-pilot']);
  });
});

describe('what could not be run', () => {
  const notRun = { what: 'arm64', why: 'no qemu', cure: 'install it' };
  const call: Invocation = {
    functionArn: 'arn',
    how: 'not-run',
    isolation: 'namespace',
    milliseconds: 0,
    notRun,
  };

  test('is listed once, however often it was asked for', () => {
    expect(notRunOf([call, call])).toEqual([notRun]);
  });

  test('includes the isolation of functions where the machine has none', () => {
    const reasons = notRunOf([{ ...call, how: 'native', isolation: 'none', notRun: undefined }]);
    expect(reasons).toEqual([
      expect.objectContaining({ why: expect.stringContaining('namespaces') }),
    ]);
  });

  test('is empty where everything ran', () => {
    expect(notRunOf([{ ...call, how: 'native', notRun: undefined }])).toEqual([]);
  });
});
