import { ARCHITECTURES, type Architecture } from '../../lib/release';
import { Person } from '../standalone/person';

jest.setTimeout(300_000);

const [ACCOUNT, REGION] = ['123456789012', 'eu-west-1'];

/** Pinned versions: the newest one, and the one before it. */
const RUNTIMES = [
  { runtime: 'deno', versions: ['2.9.5', '2.9.4'] },
  { runtime: 'node', versions: ['26.10.0', '24.21.0'] },
];

const CASES = RUNTIMES.flatMap((each) =>
  ARCHITECTURES.map((architecture): [string, Architecture, readonly string[]] => [
    each.runtime,
    architecture,
    each.versions,
  ]),
);

let person: Person;

beforeAll(async () => {
  person = await Person.start(ACCOUNT, REGION);
  const said = await person.type(`npx cdk bootstrap aws://${ACCOUNT}/${REGION} --app ''`);
  expect(said).toMatchObject({ status: 0 });
});
afterAll(() => person?.stop());

/** The whole life of one runtime's stacks; test/standalone has the same in fewer deployments. */
describe.each(CASES)('standalone stacks of %s on %s', (runtime, architecture, versions) => {
  const Runtime = runtime === 'deno' ? 'Deno' : 'Node';
  const [layerStack, exampleStack] = [`${Runtime}RuntimeLayerStack`, `${Runtime}ExampleFnStack`];
  const common = `-c architecture=${architecture}`;
  const both = `npx cdk deploy ${layerStack} ${exampleStack} ${common} -c createExample=true`;
  const [newest, older] = versions;
  const layerOf = (version: string) => ({
    LayerArn: expect.stringContaining(
      `:layer:${runtime}-${version.replaceAll('.', '_')}-${architecture}-`,
    ),
    LayerArch: architecture,
    [`${Runtime}Version`]: version,
  });
  let functionName: string;
  let layerArn: string;

  const expectAnswer = async (version: string) => {
    const answer = await person.invoke(functionName, { n: 1 });
    const fields = { runtime, architecture, version, event: { n: 1 } };
    expect(answer).toEqual(person.runs(architecture) ? expect.objectContaining(fields) : undefined);
  };

  test('a layer alone', async () => {
    const said = await person.deploy(
      `npx cdk deploy --all ${common} -c ${runtime}Version=v${newest} -c createExample=false`,
    );
    expect(said.outputs).toEqual({ [layerStack]: layerOf(newest) });
    layerArn = said.outputs[layerStack].LayerArn;
  });

  test('an example on it, with a URL', async () => {
    const { outputs } = await person.deploy(`${both} -c functionUrl=iam`);
    expect(outputs[layerStack]).toEqual({ ...layerOf(newest), LayerArn: layerArn });
    const { TestFunctionName, TestFunctionUrl } = outputs[exampleStack];
    functionName = TestFunctionName;
    await expectAnswer(newest);
    expect(
      await person.aws(`lambda get-function-url-config --function-name ${functionName}`),
    ).toMatchObject({ FunctionUrl: TestFunctionUrl, AuthType: 'AWS_IAM' });
  });

  test('no change', async () => {
    const said = await person.deploy(`${both} -c functionUrl=iam`);
    expect(said.stderr.match(/\(no changes\)/g)).toHaveLength(2);
  });

  test('another version, and no URL', async () => {
    const { outputs } = await person.deploy(`${both} -c ${runtime}Version=${older}`);
    expect(outputs).toEqual({
      [layerStack]: layerOf(older),
      [exampleStack]: { TestFunctionName: functionName },
    });
    await expectAnswer(older);
  });

  test('the first layer by its ARN', async () => {
    const { outputs } = await person.deploy(
      `npx cdk deploy ${exampleStack} ${common} -c createExample=true -c layerArn=${layerArn}`,
    );
    expect(outputs).toEqual({ [exampleStack]: { TestFunctionName: functionName } });
    await expectAnswer(newest);
  });

  test('nothing but the layers', async () => {
    const said = await person.destroy(`npx cdk destroy ${exampleStack} ${layerStack}`);
    expect(said).toMatchObject({ status: 0 });
    const { Stacks } = await person.aws<{ Stacks: { StackName: string }[] }>(
      'cloudformation describe-stacks',
    );
    expect(Stacks.map(({ StackName }) => StackName)).toEqual(['CDKToolkit']);
    const { LayerVersions } = await person.aws<{ LayerVersions: unknown[] }>(
      `lambda list-layer-versions --layer-name ${layerArn.split(':')[6]}`,
    );
    expect(LayerVersions).toHaveLength(1);
  });
});
