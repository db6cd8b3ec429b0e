import { cpSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { writeZip } from '../../lib/archive';
import { ARCHITECTURES, type Architecture } from '../../lib/release';
import { type CloudCommand, IN_THE_CLOUD } from '../docs/commands';
import { Person } from './person';

jest.setTimeout(180_000);

const [HOME, TARGET, REGION] = ['111111111111', '123456789012', 'eu-west-1'];
const EXAMPLES = resolve(__dirname, '../../assets/examples');
const NATIVE: Architecture = process.arch === 'arm64' ? 'arm64' : 'x86_64';
const STACKS = [
  'DenoRuntimeLayerStack',
  'DenoExampleFnStack',
  'NodeRuntimeLayerStack',
  'NodeExampleFnStack',
];
const ALL = `npx cdk deploy ${STACKS.join(' ')} -c createExample=true`;

/** One person from the first deployment to the last; each test goes on where the last one ended. */
describe('standalone stacks in one account', () => {
  let person: Person;
  const typed = new Set<string>();
  let layerArn: string;
  let functionName: string;

  beforeAll(async () => {
    person = await Person.start(TARGET, REGION);
  });
  afterAll(() => person?.stop());

  /** A command as a page has it, its placeholders filled in. */
  const fromDocs = (command: CloudCommand, values: Readonly<Record<string, string>> = {}) => {
    typed.add(command);
    return Object.entries(values).reduce(
      (line, [placeholder, value]) => line.replaceAll(placeholder, value),
      command as string,
    );
  };
  const typeAws = (command: CloudCommand, values?: Readonly<Record<string, string>>) =>
    person.type(fromDocs(command, values), { cwd: person.dir });

  const layers = async () =>
    (
      await person.aws<{ Layers: { LatestMatchingVersion: { LayerVersionArn: string } }[] }>(
        'lambda list-layers',
      )
    ).Layers.map(({ LatestMatchingVersion }) => LatestMatchingVersion.LayerVersionArn);
  const stacks = async () =>
    (
      await person.aws<{ Stacks: { StackName: string }[] }>('cloudformation describe-stacks')
    ).Stacks.map(({ StackName }) => StackName).sort();

  /** An answer with these fields, where this machine can run the architecture. */
  const answering = (architecture: Architecture, fields: object) =>
    person.runs(architecture) ? expect.objectContaining({ architecture, ...fields }) : undefined;

  test('find an account that the README has bootstrapped', async () => {
    const [home, target] = IN_THE_CLOUD;
    // An account is bootstrapped without a look at the app: this only saves its synth.
    const env = { CDK_APP: '' };
    const asHome = { ...env, AWS_ACCESS_KEY_ID: HOME };
    expect(await person.type(fromDocs(home, { HOME }), { env: asHome })).toMatchObject({
      status: 0,
    });
    expect(await person.type(fromDocs(target, { HOME, TARGET }), { env })).toMatchObject({
      status: 0,
    });
    expect(await stacks()).toEqual(['CDKToolkit']);
  });

  test('fail to deploy with wrong flags: one message, and nothing is deployed', async () => {
    const said = await person.deploy(`${ALL} -c architecture=aarch64 -c createExample=yes`);
    expect(said.status).toBe(1);
    expect(said.stderr).toContain(`error [InvalidFlags]: context flags have 2 problems:
  - architecture: "aarch64" is not one of Lambda's architectures; Lambda's word is arm64
  - createExample: "yes" is neither true nor false
`);
    expect(await stacks()).toEqual(['CDKToolkit']);
  });

  test('give a layer alone, of the version and architecture asked for', async () => {
    const { outputs, stdout, stderr } = await person.deploy(
      fromDocs('npx cdk deploy DenoRuntimeLayerStack -c architecture=arm64 -c denoVersion=v2.9.5'),
    );
    expect(outputs).toEqual({
      DenoRuntimeLayerStack: {
        LayerArn: expect.stringMatching(/:layer:deno-2_9_5-arm64-[0-9a-f]{12}:1$/),
        LayerArch: 'arm64',
        DenoVersion: '2.9.5',
      },
    });
    expect(stdout + stderr).not.toContain('Delivery');
    layerArn = outputs.DenoRuntimeLayerStack.LayerArn;
  });

  test('add a function to it that answers', async () => {
    const { outputs } = await person.deploy(
      fromDocs(
        'npx cdk deploy DenoRuntimeLayerStack DenoExampleFnStack -c createExample=true -c architecture=arm64',
      ),
    );
    expect(outputs.DenoRuntimeLayerStack.LayerArn).toBe(layerArn);
    functionName = outputs.DenoExampleFnStack.TestFunctionName;
    const said = await typeAws(
      `aws lambda invoke --function-name <TestFunctionName> --cli-binary-format raw-in-base64-out --payload '{"hello":"world"}' answer.json`,
      {
        '<TestFunctionName>': functionName,
        // The page says so itself: AWS CLI 1 does not know it.
        ' --cli-binary-format raw-in-base64-out': '',
      },
    );
    expect(said).toMatchObject({ status: 0 });
    expect(await person.invoke(functionName, { hello: 'world' })).toEqual(
      answering('arm64', { runtime: 'deno', version: '2.9.5', event: { hello: 'world' } }),
    );
  });

  test.each(ARCHITECTURES)('give both runtimes on %s, with signed URLs', async (architecture) => {
    const flags = `-c architecture=${architecture} -c functionUrl=iam`;
    const env = { CDK_VALIDATION: String(architecture === NATIVE) };
    const { outputs } = await person.deploy(`${ALL} ${flags}`, { env });
    for (const [runtime, version] of [
      ['Deno', '2.9.5'],
      ['Node', '26.10.0'],
    ]) {
      expect(outputs[`${runtime}RuntimeLayerStack`]).toEqual({
        LayerArn: expect.stringMatching(`^arn:aws:lambda:${REGION}:${TARGET}:layer:.+:1$`),
        LayerArch: architecture,
        [`${runtime}Version`]: version,
      });
      const { TestFunctionName, TestFunctionUrl } = outputs[`${runtime}ExampleFnStack`];
      expect(TestFunctionUrl).toMatch(/^https:\/\/.+/);
      expect(
        await person.aws(`lambda get-function-url-config --function-name ${TestFunctionName}`),
      ).toMatchObject({ FunctionUrl: TestFunctionUrl, AuthType: 'AWS_IAM' });
      expect(await person.invoke(TestFunctionName, { n: 1 })).toEqual(
        answering(architecture, { runtime: runtime.toLowerCase(), version, event: { n: 1 } }),
      );
    }
  });

  test('change nothing when nothing has changed', async () => {
    const flags = `-c architecture=${ARCHITECTURES.at(-1)} -c functionUrl=iam`;
    const said = await person.deploy(`${ALL} ${flags}`);
    expect(said.stderr.match(/\(no changes\)/g)).toHaveLength(STACKS.length);
  });

  test('take the function to another version, and keep the layer of the first', async () => {
    const flags = `-c architecture=${NATIVE} -c denoVersion=2.9.4 -c createExample=true`;
    const { outputs } = await person.deploy(
      `npx cdk deploy DenoRuntimeLayerStack DenoExampleFnStack ${flags}`,
    );
    expect(outputs.DenoRuntimeLayerStack.DenoVersion).toBe('2.9.4');
    // No URL was asked for this time.
    expect(outputs.DenoExampleFnStack).toEqual({ TestFunctionName: functionName });
    expect(await person.invoke(functionName, {})).toMatchObject({ version: '2.9.4' });
    expect(await layers()).toEqual(
      expect.arrayContaining([layerArn, outputs.DenoRuntimeLayerStack.LayerArn]),
    );
  });

  test('take the function to an existing layer', async () => {
    const { outputs } = await person.deploy(
      fromDocs(
        'npx cdk deploy DenoExampleFnStack -c createExample=true -c layerArn=arn:… -c architecture=arm64',
        { 'arn:…': layerArn },
      ),
    );
    expect(outputs).toEqual({ DenoExampleFnStack: { TestFunctionName: functionName } });
    expect(await person.invoke(functionName, {})).toEqual(answering('arm64', { version: '2.9.5' }));
  });

  test('deploy no example without createExample, and leave the one that is there', async () => {
    const flags = '-c createExample=false -c architecture=arm64 -c nodeVersion=24';
    const said = await person.deploy(`npx cdk deploy --all ${flags}`);
    expect(said.outputs).toEqual({
      NodeRuntimeLayerStack: expect.objectContaining({ LayerArch: 'arm64' }),
    });
    expect(await stacks()).toEqual(['CDKToolkit', ...STACKS].sort());
  });

  test('are destroyed by name, without flags; the layers stay', async () => {
    const before = await layers();
    const destroyed = (line: string) => person.destroy(line).then(({ status }) => status);
    expect(await destroyed(fromDocs('npx cdk destroy DenoRuntimeLayerStack'))).toBe(0);
    expect(await person.invoke(functionName, {})).toEqual(answering('arm64', { version: '2.9.5' }));
    expect(await destroyed(fromDocs('npx cdk destroy DenoExampleFnStack'))).toBe(0);
    expect(await stacks()).toEqual(['CDKToolkit', 'NodeExampleFnStack', 'NodeRuntimeLayerStack']);
    expect(await layers()).toEqual(before);
  });

  test('leave a layer that a function made by hand can use', async () => {
    const trust =
      '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}';
    const { Role } = await person.aws<{ Role: { Arn: string } }>(
      `iam create-role --role-name hello --assume-role-policy-document '${trust}'`,
    );
    const source = join(person.dir, 'mod.ts');
    cpSync(join(EXAMPLES, 'deno/mod.ts'), source);
    await writeZip(join(person.dir, 'function.zip'), [{ source, path: 'mod.ts', mode: 0o644 }]);
    const said = await typeAws(
      'aws lambda create-function --function-name hello --runtime provided.al2023 --architectures arm64 --handler mod.handler --layers <LayerArn> --memory-size 512 --timeout 30 --role <role ARN> --zip-file fileb://function.zip',
      { '<LayerArn>': layerArn, '<role ARN>': Role.Arn },
    );
    expect(said).toMatchObject({ status: 0 });
    expect(await person.invoke('hello', {})).toEqual(answering('arm64', { version: '2.9.5' }));
  });

  test('are deployed again after a layer was removed by hand: its version then is 2', async () => {
    const [, , , , , , name] = layerArn.split(':');
    const removed = await typeAws(
      'aws lambda delete-layer-version --layer-name deno-2_9_5-arm64-8433a93b7daa --version-number 1',
      { 'deno-2_9_5-arm64-8433a93b7daa': name },
    );
    expect(removed).toMatchObject({ status: 0 });
    const { outputs } = await person.deploy(
      `npx cdk deploy DenoRuntimeLayerStack DenoExampleFnStack -c createExample=true -c denoVersion=2`,
    );
    expect(outputs.DenoRuntimeLayerStack.LayerArn).toBe(layerArn.replace(/:1$/, ':2'));
    const { TestFunctionName } = outputs.DenoExampleFnStack;
    expect(await person.invoke(TestFunctionName, {})).toEqual(
      answering('arm64', { version: '2.9.5' }),
    );
  });

  test('have their ARN looked up once it is in Parameter Store', async () => {
    const name = '/layers/deno/arm64/latest';
    await person.aws(`ssm put-parameter --name ${name} --type String --value ${layerArn}`);
    const [arn, value] = [
      await person.type(fromDocs('npx layers arn deno --arch arm64 --region eu-west-1')),
      await typeAws(
        'aws ssm get-parameter --name /layers/deno/arm64/latest --query Parameter.Value --output text',
      ),
    ];
    expect([arn.stdout, value.stdout]).toEqual([`${layerArn}\n`, `${layerArn}\n`]);
    const list = await person.type(fromDocs('npx layers list --region eu-west-1'));
    expect(list).toMatchObject({ status: 0, stdout: expect.stringContaining(layerArn) });
  });

  test('have met every command that the pages give for a cloud', () => {
    expect([...typed].sort()).toEqual([...IN_THE_CLOUD].sort());
  });
});
