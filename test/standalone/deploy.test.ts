import type { Architecture } from '../../lib/release';
import { Person } from './person';

jest.setTimeout(180_000);

const ARCHITECTURE: Architecture = process.arch === 'arm64' ? 'arm64' : 'x86_64';
const FLAGS = ['-c', `architecture=${ARCHITECTURE}`, '-c', 'createExample=true'];
const BOTH = ['DenoRuntimeLayerStack', 'DenoExampleFnStack'];

interface LayerVersions {
  readonly Layers: readonly { readonly LatestMatchingVersion: { LayerVersionArn: string } }[];
}

/** One person from the first deployment to the last; each test goes on where the last one ended. */
describe('standalone stacks in one account', () => {
  let person: Person;
  let firstArn: string;
  let functionName: string;

  beforeAll(async () => {
    person = await Person.start('123456789012', 'eu-west-1');
  });
  afterAll(() => person?.stop());

  const layers = async () =>
    (await person.aws<LayerVersions>('lambda', 'list-layers')).Layers.map(
      ({ LatestMatchingVersion }) => LatestMatchingVersion.LayerVersionArn,
    );
  const stacks = async () =>
    (
      await person.aws<{ Stacks: { StackName: string }[] }>('cloudformation', 'describe-stacks')
    ).Stacks.map(({ StackName }) => StackName).sort();

  test('fail to deploy with wrong flags: one message, and nothing is deployed', async () => {
    const said = await person.deploy(
      ...BOTH,
      '-c',
      'architecture=aarch64',
      '-c',
      'createExample=yes',
    );
    expect(said.status).toBe(1);
    expect(said.stderr).toContain(`error [InvalidFlags]: context flags have 2 problems:
  - architecture: "aarch64" is not one of Lambda's architectures; Lambda's word is arm64
  - createExample: "yes" is neither true nor false
`);
    expect(await stacks()).toEqual(['CDKToolkit']);
  });

  test('give a layer and a function that answers', async () => {
    const { outputs, stderr } = await person.deploy(...BOTH, ...FLAGS, '-c', 'denoVersion=v2.9.5');
    expect(Object.keys(outputs).sort()).toEqual([...BOTH].sort());
    expect(stderr).not.toContain('Delivery');
    const { LayerArn, ...layer } = outputs.DenoRuntimeLayerStack;
    expect(layer).toMatchObject({ LayerArch: ARCHITECTURE, DenoVersion: '2.9.5' });
    firstArn = LayerArn;
    functionName = outputs.DenoExampleFnStack.TestFunctionName;
    expect(await person.invoke(functionName, { hello: 'world' })).toMatchObject({
      runtime: 'deno',
      version: '2.9.5',
      architecture: ARCHITECTURE,
      event: { hello: 'world' },
    });
  });

  test('change nothing when nothing has changed', async () => {
    const said = await person.deploy(...BOTH, ...FLAGS, '-c', 'denoVersion=2.9.5');
    expect(said.stderr.match(/\(no changes\)/g)).toHaveLength(2);
    expect(said.outputs.DenoRuntimeLayerStack.LayerArn).toBe(firstArn);
  });

  test('take the function to another version, and keep the layer of the first', async () => {
    const { outputs } = await person.deploy(...BOTH, ...FLAGS, '-c', 'denoVersion=2.9.4');
    expect(outputs.DenoRuntimeLayerStack.DenoVersion).toBe('2.9.4');
    expect(outputs.DenoExampleFnStack.TestFunctionName).toBe(functionName);
    expect(await person.invoke(functionName, {})).toMatchObject({ version: '2.9.4' });
    expect(await layers()).toEqual(
      expect.arrayContaining([firstArn, outputs.DenoRuntimeLayerStack.LayerArn]),
    );
  });

  test('take the function to an existing layer', async () => {
    const said = await person.deploy('DenoExampleFnStack', ...FLAGS, '-c', `layerArn=${firstArn}`);
    expect(Object.keys(said.outputs)).toEqual(['DenoExampleFnStack']);
    expect(await person.invoke(functionName, {})).toMatchObject({ version: '2.9.5' });
  });

  test('are destroyed by name, without flags; the layers stay', async () => {
    const before = await layers();
    expect(await person.cdk('destroy', 'DenoRuntimeLayerStack', '--force')).toMatchObject({
      status: 0,
    });
    expect(await stacks()).toEqual(['CDKToolkit', 'DenoExampleFnStack']);
    expect(await person.invoke(functionName, {})).toMatchObject({ version: '2.9.5' });
    expect(await person.cdk('destroy', 'DenoExampleFnStack', '--force')).toMatchObject({
      status: 0,
    });
    expect(await stacks()).toEqual(['CDKToolkit']);
    expect(await layers()).toEqual(before);
  });

  test('are deployed again after a layer was removed by hand: its version then is 2', async () => {
    const [, , , , , , name, version] = firstArn.split(':');
    await person.aws(
      ...['lambda', 'delete-layer-version', '--layer-name', name, '--version-number', version],
    );
    const { outputs } = await person.deploy(...BOTH, ...FLAGS, '-c', 'denoVersion=2.9.5');
    expect(outputs.DenoRuntimeLayerStack.LayerArn).toBe(firstArn.replace(/:1$/, ':2'));
    const { TestFunctionName } = outputs.DenoExampleFnStack;
    expect(await person.invoke(TestFunctionName, {})).toMatchObject({ version: '2.9.5' });
  });
});
