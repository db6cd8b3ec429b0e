import { Template } from 'aws-cdk-lib/assertions';
import { planOf, rawConfig } from './fixture';
import { stackOf } from './rendered';

interface Resource {
  readonly Type: string;
  readonly Properties?: object;
  readonly DependsOn?: string | readonly string[];
}

/** Everything that a resource waits for, and what that waits for, by logical id. */
function awaitedBy(id: string, resources: Readonly<Record<string, Resource>>): Set<string> {
  const awaited = new Set<string>();
  const add = (name: string) => {
    if (!(name in resources) || awaited.has(name)) return;
    awaited.add(name);
    follow(resources[name]);
  };
  const follow = ({ Properties = {}, DependsOn = [] }: Resource) => {
    for (const name of [DependsOn].flat()) add(name);
    JSON.stringify(Properties, (key, value) => {
      if (key === 'Ref') add(value);
      if (key === 'Fn::GetAtt') add(value[0]);
      return value;
    });
  };
  follow(resources[id]);
  return awaited;
}

const { connectionArn: _, ...source } = rawConfig().source;
const operations = {
  notifications: { emails: ['somebody@example.com'] },
  monitoring: { dashboard: true },
  schedule: 'rate(7 days)',
};

test.each([
  ['a connection', rawConfig(), []],
  [
    'a connection, and all that is beside it',
    { ...rawConfig(), ...operations },
    ['NotificationsFailed', 'NotificationsWaiting', 'Schedule'],
  ],
  ['CodeCommit', { ...rawConfig(), source: { ...source, repository: 'layers' } }, ['Push']],
])('a pipeline of %s is made and changed after all else of its stack', (_, config, rules) => {
  const { stack } = stackOf({ plan: planOf(config) });
  const { Resources } = Template.fromStack(stack).toJSON() as {
    Resources: Record<string, Resource>;
  };
  const [pipeline] = Object.keys(Resources).filter(
    (id) => Resources[id].Type === 'AWS::CodePipeline::Pipeline',
  );
  const before = [...awaitedBy(pipeline, Resources)];
  expect(before.sort()).toEqual(
    Object.keys(Resources)
      .filter((id) => id !== pipeline)
      .sort(),
  );
  const found = before.filter((id) => Resources[id].Type === 'AWS::Events::Rule');
  expect(found).toEqual(rules.map((name) => expect.stringContaining(name)));
});
