import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  configFromContext,
  exampleValues,
  OVERRIDES_VARIABLE,
  overridesFromEnvironment,
  overridesIn,
  parseConfig,
  readConfig,
} from '../../lib/config';
import { LayersError } from '../../lib/errors';
import { rawConfig } from '../pipeline/fixture';
import { temporaryFolder } from '../temporary-folder';

type Raw = ReturnType<typeof rawConfig>;

function messageFor(change: (raw: Raw) => void): string {
  const raw = rawConfig();
  change(raw);
  try {
    parseConfig(raw);
  } catch (error) {
    expect(error).toBeInstanceOf(LayersError);
    expect((error as LayersError).code).toBe('InvalidConfiguration');
    return (error as Error).message;
  }
  throw new Error('the configuration was accepted');
}

describe('configuration', () => {
  test('fills in what has a sensible default', () => {
    const raw = rawConfig();
    for (const key of ['name', 'sharing']) delete raw[key];
    delete raw.source.branch;
    expect(parseConfig(raw)).toMatchObject({
      name: 'layers',
      qualifier: 'hnb659fds',
      namespace: '/layers',
      sharing: { with: 'private' },
      source: { branch: 'main', paths: { include: [], exclude: [] } },
      runtimes: [{ architectures: ['arm64', 'x86_64'] }, {}],
      waves: [{ approval: false, paused: [] }, { approval: true }],
    });
  });

  test('fails with every problem in one message', () => {
    const message = messageFor((raw) => {
      raw.home.account = '1234';
      raw.waves[0].regions[1] = 'eu-west-9';
      raw.runtimes[1].versions = [];
      raw.brunch = 'main';
    });
    expect(message).toContain('configuration has 4 problems');
    expect(message).toContain('delivery.home.account: "1234" is not an account id');
    expect(message).toMatch(/delivery\.waves\.0\.regions\.1: "eu-west-9" .*did you mean eu-west-1/);
    expect(message).toContain('delivery.runtimes.1.versions: [] is empty');
    expect(message).toContain('delivery.brunch: is not a known field');
  });

  test.each<[string, (raw: Raw) => void, RegExp]>([
    [
      'a missing field',
      (raw) => delete raw.source.repository,
      /source\.repository: is missing; add it/,
    ],
    [
      'an account as a number',
      (raw) => (raw.home.account = 123456789012),
      /home\.account: 123456789012 .*quotes/,
    ],
    [
      'a wrong word for arm64',
      (raw) => (raw.runtimes[0].architectures = ['aarch64']),
      /"aarch64" .*write arm64/,
    ],
    [
      'a wrong word for x86_64',
      (raw) => (raw.runtimes[0].architectures = ['amd64']),
      /"amd64" .*write x86_64/,
    ],
    [
      'a range of versions',
      (raw) => (raw.runtimes[0].versions = ['^2.9.5']),
      /"\^2\.9\.5" is not an exact version/,
    ],
    [
      'a version written otherwise',
      (raw) => (raw.runtimes[0].versions = ['2.9.05']),
      /"2\.9\.05" is not an exact version/,
    ],
    [
      'a runtime twice',
      (raw) => (raw.runtimes[1].name = 'deno'),
      /runtimes\.1\.name: "deno" stands twice/,
    ],
    [
      'a wave twice',
      (raw) => (raw.waves[1].name = 'pilot'),
      /waves\.1\.name: "pilot" stands twice/,
    ],
    [
      'a target in two waves',
      (raw) => raw.waves[1].accounts.push('888888888888'),
      /888888888888\/us-east-1 stands in wave "pilot" and in wave "production"/,
    ],
    [
      'a region twice in a wave',
      (raw) => raw.waves[0].regions.push(raw.waves[0].regions[0]),
      /has 1 problem:\n.*waves\.0\.regions\.\d: "us-east-1" stands twice; remove one$/,
    ],
    [
      'an address twice, with other capitals',
      (raw) => (raw.notifications = { emails: ['ops@example.com', 'Ops@example.com'] }),
      /notifications\.emails\.1: "ops@example\.com" stands twice/,
    ],
    [
      'a text for a list, once',
      (raw) => (raw.runtimes = ''),
      /has 1 problem:\n.*runtimes: "" is not what belongs here; write a list in brackets$/,
    ],
    [
      'a region like no other',
      (raw) => (raw.home.region = 'zzz'),
      /"zzz" is not a region that Lambda offers; write one like eu-west-1/,
    ],
    [
      'a reason of blanks',
      (raw) =>
        (raw.waves[0].paused = [{ region: 'us-east-1', reason: '    ', since: '2026-11-22' }]),
      /reason: " {4}" is too short/,
    ],
    [
      'a namespace of many letters',
      (raw) => (raw.namespace = `/${'a'.repeat(700)}`),
      /is too long; use at most 700/,
    ],
    [
      'a pause without a target',
      (raw) =>
        (raw.waves[0].paused = [{ region: 'eu-west-2', reason: 'outage', since: '2026-11-01' }]),
      /waves\.0\.paused\.0: eu-west-2 is not a target/,
    ],
    [
      'a pause without a reason',
      (raw) => (raw.waves[0].paused = [{ region: 'eu-west-1', reason: '', since: '2026-11-01' }]),
      /say why/,
    ],
    [
      'a canary outside its wave',
      (raw) => (raw.waves[0].canary = { region: 'eu-west-2' }),
      /waves\.0\.canary: 888888888888\/eu-west-2 is not a target of wave "pilot"; name one that is/,
    ],
    [
      'a path pattern that CodePipeline does not take',
      (raw) => (raw.source.paths = { include: ['a'.repeat(256)] }),
      /source\.paths\.include\.0: "a+" is too long; CodePipeline takes patterns of 255/,
    ],
    [
      'a variable of CodePipeline in what an approval shows',
      (raw) => {
        raw.waves[0].paused = [{ region: 'us-east-1', reason: 'see #{42}', since: '2026-11-01' }];
      },
      /waves\.0\.paused\.0\.reason: "see #\{42\}" has #\{, which is a variable/,
    ],
    [
      'a paused canary',
      (raw) => {
        raw.waves[0].canary = { region: 'eu-west-1' };
        raw.waves[0].paused = [{ region: 'eu-west-1', reason: 'outage', since: '2026-11-01' }];
      },
      /waves\.0\.canary: 888888888888\/eu-west-1 is paused; name another target/,
    ],
    [
      'a pause without a day',
      (raw) => (raw.waves[0].paused = [{ region: 'eu-west-1', reason: 'outage' }]),
      /waves\.0\.paused\.0\.since: is missing; add it/,
    ],
    [
      'a pause since no day of the calendar',
      (raw) =>
        (raw.waves[0].paused = [{ region: 'eu-west-1', reason: 'outage', since: '2026-02-30' }]),
      /paused\.0\.since: "2026-02-30" is not a day; write it like 2026-11-22/,
    ],
    [
      'a notification to no address',
      (raw) => (raw.notifications = { emails: ['ops'] }),
      /notifications\.emails\.0: "ops" is not an e-mail address; it looks like ops@example\.com/,
    ],
    [
      'monitoring without a topic to tell',
      (raw) => (raw.monitoring = {}),
      /delivery\.monitoring: tells the topic of delivery\.notifications; add "notifications": \{\}/,
    ],
    [
      'a home region without CodePipeline',
      (raw) => (raw.home.region = 'ca-west-1'),
      /home\.region: "ca-west-1" has no CodePipeline/,
    ],
    ['two partitions', (raw) => (raw.waves[0].regions = ['cn-north-1']), /partition aws-cn/],
    [
      'partitions mixed in a pipeline of GovCloud',
      (raw) => {
        raw.home.region = 'us-gov-east-1';
        raw.source.connectionArn = raw.source.connectionArn.replace('arn:aws:', 'arn:aws-us-gov:');
        raw.waves[0].regions = ['us-gov-west-1', 'eu-west-1'];
        raw.waves[1].regions = ['us-gov-east-1'];
      },
      /^configuration has 1 problem:\n {2}- delivery\.waves\.0\.regions\.1: "eu-west-1" belongs to partition aws, the home region to aws-us-gov; give that partition a pipeline of its own$/,
    ],
    [
      'a connection of another partition',
      (raw) => (raw.home.region = 'us-gov-east-1'),
      /source\.connectionArn: "arn:aws:.*" belongs to partition aws, the home region to aws-us-gov; create a connection there/,
    ],
    [
      'a home region without connections',
      (raw) => (raw.home.region = 'us-gov-west-1'),
      /home\.region: "us-gov-west-1" has no connections to GitHub; run the pipeline in another region \(us-gov-east-1\), or use a CodeCommit repository, without source\.connectionArn/,
    ],
    [
      'a partition without connections, where none can be created',
      (raw) => {
        raw.home.region = 'cn-north-1';
        for (const wave of raw.waves) wave.regions = ['cn-north-1'];
      },
      /^configuration has 1 problem:\n {2}- delivery\.home\.region: "cn-north-1" has no connections to GitHub; use a CodeCommit repository, without source\.connectionArn$/,
    ],
    [
      'a repository of GitHub without a connection',
      (raw) => delete raw.source.connectionArn,
      /source\.connectionArn: is missing; add it, or write a CodeCommit repository of home, without an owner, in place of "acme\/runtime-layers"/,
    ],
    [
      'a repository without an owner, with a connection',
      (raw) => (raw.source.repository = 'runtime-layers'),
      /source\.repository: "runtime-layers" is not a repository; write owner\/name/,
    ],
    [
      'path filters for CodeCommit',
      (raw) => (raw.source = { repository: 'layers', paths: { include: ['assets/**'] } }),
      /source\.paths: is not for CodeCommit, which has no path filters; remove it/,
    ],
    [
      'an older connection of another account',
      (raw) => {
        raw.source.connectionArn = raw.source.connectionArn
          .replace('codeconnections', 'codestar-connections')
          .replace('999999999999', '888888888888');
      },
      /source\.connectionArn: "arn:.*" belongs to account 888888888888, which cannot share it with the home account 999999999999; create a connection there/,
    ],
    [
      'a namespace of twelve levels',
      (raw) => (raw.namespace = '/a'.repeat(12)),
      /namespace: "\/a.*" has too many levels; .* use at most 11/,
    ],
    ['a reserved namespace', (raw) => (raw.namespace = '/aws/layers'), /reserved/],
    [
      'an unknown kind of sharing',
      (raw) => (raw.sharing = { with: 'everyone' }),
      /sharing.* set "with" to/,
    ],
    [
      'sharing with nobody',
      (raw) => (raw.sharing = { with: 'accounts', accounts: [] }),
      /sharing\.accounts: \[\] is empty/,
    ],
    [
      'sharing with an account twice',
      (raw) => (raw.sharing = { with: 'accounts', accounts: ['444444444444', '444444444444'] }),
      /sharing\.accounts\.1: "444444444444" stands twice; remove one/,
    ],
    [
      'a pasted placeholder for the connection',
      (raw) => (raw.source.connectionArn = 'TODO'),
      /"TODO" is not the ARN of a connection/,
    ],
  ])('fails on %s', (_what, change, expected) => {
    expect(messageFor(change)).toMatch(expected);
  });

  test('takes a connection that another account shares, and a namespace of eleven levels', () => {
    const raw = rawConfig();
    raw.source.connectionArn = raw.source.connectionArn.replace('999999999999', '888888888888');
    raw.namespace = '/a'.repeat(11);
    expect(parseConfig(raw)).toMatchObject({ namespace: raw.namespace, source: raw.source });
  });

  test('fails when the context has no configuration', () => {
    expect(() => configFromContext(undefined)).toThrow(/context key "delivery" is missing/);
  });
});

describe('overrides', () => {
  test('a dotted context key replaces one value and keeps account ids as text', () => {
    const overrides = overridesIn({
      'delivery.source.branch': 'next',
      'delivery.home.account': '012345678901',
      'delivery.runtimes.0.versions': '["2.9.4"]',
      'delivery.waves.1.approval': 'false',
      '@aws-cdk/core:x': true,
    });
    expect(configFromContext(rawConfig(), overrides)).toMatchObject({
      source: { branch: 'next' },
      home: { account: '012345678901' },
      runtimes: [{ versions: ['2.9.4'] }, {}],
      waves: [{}, { approval: false }],
    });
  });

  test('travel through the environment of the synth action', () => {
    const overrides = overridesIn({ 'delivery.source.branch': 'next' });
    const environment = { [OVERRIDES_VARIABLE]: JSON.stringify(overrides) };
    expect(overridesFromEnvironment(environment)).toEqual(overrides);
  });

  test.each([
    ['name.first', 'single value'],
    ['name.first.letter', 'single value'],
    ['waves.length', '"length" is no place in a list of 2'],
    ['waves.3.name', '"3" is no place in a list of 2'],
    ['__proto__.x', '"__proto__" is no field'],
    ['source.constructor', '"constructor" is no field'],
  ])('fails on %s', (path, why) => {
    expect(() => configFromContext(rawConfig(), { [path]: '1' })).toThrow(
      expect.objectContaining({ code: 'InvalidOverrides', message: expect.stringContaining(why) }),
    );
  });

  test('fails where they change what is no object', () => {
    expect(() => configFromContext('x', { name: 'y' })).toThrow(/single value/);
  });

  test.each(['{', '[1]', '"ab"', 'null'])('fails on an environment variable that is %s', (text) => {
    expect(() => overridesFromEnvironment({ [OVERRIDES_VARIABLE]: text })).toThrow(/unset it/);
  });
});

describe('a branch', () => {
  const parsed = (branch: string) => {
    const raw = rawConfig();
    raw.source.branch = branch;
    return parseConfig(raw).source.branch;
  };

  test.each(['main', 'release/2.x', 'fix-#12', 'größer', 'a@b'])('may be %s', (name) => {
    expect(parsed(name)).toBe(name);
  });

  test.each([
    ' ',
    'main ',
    'a b',
    'a\nb',
    'ma~in',
    'a..b',
    '-x',
    '/x',
    'x/',
    'x.lock',
    'refs/heads/main',
    '@',
    'a'.repeat(256),
  ])('is not %j', (name) => {
    expect(() => parsed(name)).toThrow(
      /is not the name of a branch; write it as git branch shows it/,
    );
  });
});

describe('example values', () => {
  const config = () => {
    const raw = rawConfig();
    raw.home.account = '111111111111';
    raw.source.repository = 'example/lambda-runtime-layers';
    raw.waves[0].accounts = ['222222222222'];
    return parseConfig(raw);
  };

  test('are named one by one with what to put there', () => {
    expect(exampleValues(config(), {})).toEqual([
      expect.stringMatching(
        /^delivery\.home\.account: 111111111111 .*put the id of the account that runs/,
      ),
      "delivery.source.repository: example/lambda-runtime-layers is the example's repository; put your own there",
      expect.stringMatching(/^delivery\.waves\.0\.accounts\.0: 222222222222 /),
    ]);
  });

  test('are accepted by a rehearsal', () => {
    expect(exampleValues(config(), { LAYERS_REHEARSAL: '1' })).toEqual([]);
  });
});

describe('reading cdk.json', () => {
  test.each([
    ['is not there', undefined],
    ['breaks off', '{ "context": '],
  ])('one that %s is named with what helps: no option takes a file', (_, text) => {
    const folder = temporaryFolder();
    if (text) writeFileSync(join(folder, 'cdk.json'), text);
    expect(() => readConfig(folder)).toThrow(
      expect.objectContaining({
        code: 'UnreadableConfiguration',
        message: expect.stringMatching(
          /^cdk\.json cannot be read: .+; correct it, or run from the folder that has it$/,
        ),
      }),
    );
  });
});
