import { BatchGetProjectsCommand, CodeBuildClient } from '@aws-sdk/client-codebuild';
import {
  describePermission,
  type Permission,
  permissionsOf,
  readPolicies,
  runWithout,
  Testbed,
  takeAway,
  testbedConfig,
} from '../testbed';
import { BEYOND_REHEARSAL, type Exemption } from './beyond-rehearsal';

const MINUTES = 60_000;

type Kind = 'proved' | Exemption['kind'];

/** Also what is optional, so that its permissions are there. */
function withOperations(versions: readonly string[]) {
  return {
    ...testbedConfig(versions),
    notifications: { emails: ['ops@example.com'] },
    schedule: 'cron(0 6 ? * MON *)',
  };
}

/**
 * Every permission of every role of the pipeline and of its targets, read from the cloud that it
 * was deployed to: each is taken away in turn, and a rehearsal must fail and name it. What no
 * rehearsal can show stands in `beyond-rehearsal.ts`, and taking all of that away must change
 * nothing, so that nothing stands there that could be shown.
 */
describe('the permissions of the pipeline', () => {
  let testbed: Testbed;
  let permissions: Permission[];
  let projects: ReadonlyMap<string, string>;

  beforeAll(async () => {
    testbed = await Testbed.create({
      before: withOperations(['24.20.0']),
      after: withOperations(['24.20.0', '24.21.0']),
    });
    await testbed.reset();
    projects = await serviceRoles(testbed);
    permissions = (await readPolicies(testbed)).flatMap(permissionsOf);
  }, 20 * MINUTES);

  afterAll(() => testbed?.dispose(), 2 * MINUTES);

  const exemptionsOf = (permission: Permission): Exemption[] =>
    BEYOND_REHEARSAL.filter(({ matches }) => matches.test(describePermission(permission)));
  const beyondRehearsal = () => permissions.filter((one) => exemptionsOf(one).length > 0);

  test('the table of what a rehearsal cannot show names what is there, each once', () => {
    const count = ({ matches }: Exemption) =>
      permissions.filter((permission) => matches.test(describePermission(permission))).length;
    expect(BEYOND_REHEARSAL.filter((exemption) => count(exemption) === 0)).toEqual([]);
    const twice = permissions.filter((permission) => exemptionsOf(permission).length > 1);
    expect(twice.map(describePermission)).toEqual([]);
  });

  test(
    'what stands in the table can all be taken away at once, and the rehearsal is the same',
    async () => {
      await testbed.reset();
      await takeAway(testbed, beyondRehearsal());
      const { status, message } = await testbed.run('Source');
      expect({ status, message }).toEqual({ status: 'Succeeded', message: '' });
      expect(await testbed.contents()).toEqual(testbed.expected());
    },
    20 * MINUTES,
  );

  test(
    'everything else is needed: without it a stage fails, and says what is missing',
    async () => {
      const provable = permissions.filter((permission) => exemptionsOf(permission).length === 0);
      const unneeded: string[] = [];
      const unnamed: string[] = [];
      const started = performance.now();
      for (const permission of provable) {
        const { failedStage, named, said } = await runWithout(testbed, permission, projects);
        if (failedStage === undefined) unneeded.push(describePermission(permission));
        else if (!named) unnamed.push(`${describePermission(permission)}: ${said}`);
      }
      expect({ unneeded, unnamed }).toEqual({ unneeded: [], unnamed: [] });
      expect(provable.length).toBeGreaterThan(0);
      report(
        permissions,
        (permission) => exemptionsOf(permission)[0]?.kind ?? 'proved',
        (performance.now() - started) / 1000,
      );
    },
    90 * MINUTES,
  );
});

async function serviceRoles({ cloud, pipeline }: Testbed): Promise<ReadonlyMap<string, string>> {
  const names = pipeline.definition.Stages.flatMap(({ Actions }) => Actions).flatMap(
    ({ Configuration }) => Configuration.ProjectName ?? [],
  );
  const client = new CodeBuildClient(cloud.sdkConfig(pipeline.key.account, pipeline.key.region));
  const { projects = [] } = await client.send(new BatchGetProjectsCommand({ names }));
  client.destroy();
  return new Map(projects.map(({ name = '', serviceRole = '' }) => [name, serviceRole]));
}

/** Says how many there are; a statement counts where its weakest permission does. */
function report(
  all: readonly Permission[],
  kindOf: (permission: Permission) => Kind,
  seconds: number,
): void {
  const statements = new Map<object, Kind>();
  const permissions: Record<Kind, number> = { proved: 0, needed: 0, surplus: 0 };
  const kinds = Object.keys(permissions) as Kind[];
  for (const permission of all) {
    const kind = kindOf(permission);
    permissions[kind]++;
    const statement = permission.policy.document.Statement[permission.statement];
    const known = statements.get(statement) ?? 'proved';
    statements.set(statement, kinds.indexOf(kind) > kinds.indexOf(known) ? kind : known);
  }
  const whole = (kind: Kind) => [...statements.values()].filter((one) => one === kind).length;
  const line = (kind: Kind, what: string) =>
    `${permissions[kind]} permissions ${what} (${whole(kind)} statements)`;
  console.info(
    [
      `${all.length} permissions in ${statements.size} statements, ${seconds.toFixed(0)} s:`,
      line('proved', 'proved by removal'),
      line('needed', 'by documentation, at least in part'),
      line('surplus', 'that CDK adds, at least in part'),
    ].join('\n'),
  );
}
