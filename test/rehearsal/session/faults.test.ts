import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkFaults, parseFault } from '../../../lib/rehearsal/session/faults';
import { releaseFolders } from '../../../lib/release/prepare';
import { CONFIG } from './fixture';

describe('a fault of --fault', () => {
  test.each([
    ['lambda:InvokeFunction=denied', { rule: { what: 'lambda:InvokeFunction', kind: 'denied' } }],
    [
      's3:PutObject@222222222222/eu-west-1=throttled:3',
      {
        rule: {
          what: 's3:PutObject',
          kind: 'throttled',
          account: '222222222222',
          region: 'eu-west-1',
          times: 3,
        },
      },
    ],
    [
      'AWS::SSM::Parameter=error:1',
      { rule: { what: 'AWS::SSM::Parameter', kind: 'error', times: 1 } },
    ],
    ['ssm:GetParameter=hang', { rule: { what: 'ssm:GetParameter', kind: 'hang', seconds: 60 } }],
    ['Smoke-pilot=killed', { action: { action: 'Smoke-pilot', kind: 'killed' } }],
    [
      'publish-222222222222-us-east-1=timed-out:2',
      {
        action: {
          action: 'publish-222222222222-us-east-1',
          kind: 'timed-out',
          times: 2,
        },
      },
    ],
  ])('is read: %s', (text, fault) => {
    expect(parseFault(text)).toEqual({ text, ...fault });
  });

  test.each([
    ['', 'is not a fault; write WHAT[@ACCOUNT/REGION]=KIND[:TIMES]'],
    ['Smoke-pilot', 'is not a fault'],
    ['Smoke-pilot=killed:0', 'is not a fault'],
    ['s3:PutObject@eu-west-1=denied', 'is not a fault'],
    [
      's3:PutObject=killed',
      'has "killed", which no request or resource does; choose denied, throttled, error, hang',
    ],
    [
      'Smoke-pilot=denied',
      'has "denied", which no action of the pipeline does; choose killed, timed-out',
    ],
    [
      's3:putObject=denied',
      'has "s3:putObject", which is neither an IAM action such as s3:PutObject nor a resource type',
    ],
    [
      'Smoke-pilot@222222222222/us-east-1=killed',
      'names a place, which an action has already; leave it out',
    ],
  ])('fails on %j', (text, message) => {
    expect(() => parseFault(text)).toThrow(
      expect.objectContaining({
        code: 'InvalidFault',
        message: expect.stringContaining(`--fault "${text}" ${message}`),
      }),
    );
  });
});

describe('a fault against a configuration', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'faults-'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const check = (...texts: string[]) =>
    checkFaults(texts.map(parseFault), [CONFIG], releaseFolders(folder));

  test('may name its actions, its targets and its home', () => {
    check(
      'Smoke-pilot=killed',
      'publish-222222222222-us-east-1=timed-out',
      'lambda:InvokeFunction@222222222222/us-east-1=denied',
      's3:PutObject@111111111111/us-east-1=denied',
    );
  });

  test.each([
    [
      'Smoke-pilots=killed',
      /names no action of the pipeline; its actions are Source, Build-arm64, Synth/,
    ],
    [
      's3:PutObject@222222222222/eu-west-3=denied',
      /names no place of the configuration; it has 111111111111\/us-east-1/,
    ],
  ])('fails on %s', (text, message) => {
    expect(() => check(text)).toThrow(message);
  });
});
