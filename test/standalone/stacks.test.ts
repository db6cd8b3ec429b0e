import { type App, Stack, aws_s3 as s3 } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { loadRuntimes } from '../../lib/layers';
import { addStackNames } from '../../lib/standalone/stacks';
import { ARN, ENV, appOf as newApp } from './fixture';

/** Tests only read an app, so that those with the same flags share one. */
const apps = new Map<string, App>();
function appOf(...args: Parameters<typeof newApp>): App {
  const key = JSON.stringify(args);
  const app = apps.get(key) ?? newApp(...args);
  apps.set(key, app);
  return app;
}

const names = (app: App) => app.node.children.filter(Stack.isStack).map(({ node }) => node.id);
const stackOf = (app: App, id: string) => app.node.findChild(id) as Stack;
const template = (app: App, id: string) => Template.fromStack(stackOf(app, id));
const BOTH = [
  'DenoRuntimeLayerStack',
  'DenoExampleFnStack',
  'NodeRuntimeLayerStack',
  'NodeExampleFnStack',
];

describe('stacks that the flags ask for', () => {
  test('an architecture alone gives the layer stacks', () => {
    expect(names(appOf({ architecture: 'arm64' }))).toEqual([BOTH[0], BOTH[2]]);
    expect(names(appOf({ createExample: 'false' }))).toEqual([BOTH[0], BOTH[2]]);
  });

  test('createExample adds the examples', () => {
    expect(names(appOf({ createExample: 'true' }))).toEqual(BOTH);
    expect(names(appOf({ createExample: true }))).toEqual(BOTH);
  });

  test('layerArn leaves the examples alone: there is no layer to build', () => {
    expect(names(appOf({ createExample: 'true', layerArn: ARN }))).toEqual([BOTH[1], BOTH[3]]);
  });

  test.each([
    { createExample: 'true', functionUrl: 'public' },
    { createExample: 'true', layerArn: ARN, architecture: 'x86_64' },
  ])('pass cdk-nag with %j', (flags) => {
    expect(() => appOf(flags, { nag: true }).synth()).not.toThrow();
  });

  test('fail cdk-nag with something that it forbids', () => {
    const app = newApp({ createExample: 'true' }, { nag: true });
    new s3.Bucket(stackOf(app, 'DenoExampleFnStack'), 'Open');
    expect(() => app.synth()).toThrow('AwsSolutions-S');
  });

  test('have every name when only names count, and nothing in them', () => {
    const app = appOf({}, { versions: {} });
    addStackNames(app, loadRuntimes(), ENV);
    expect(names(app)).toEqual(expect.arrayContaining(BOTH));
    for (const name of BOTH) {
      template(app, name).resourceCountIs('AWS::CloudFormation::WaitConditionHandle', 1);
      template(app, name).resourceCountIs('AWS::Lambda::LayerVersion', 0);
      expect(stackOf(app, name).dependencies).toEqual([]);
    }
  });
});

describe('layer stack', () => {
  test.each(['arm64', 'x86_64'])('publishes one retained layer for %s', (architecture) => {
    const layer = template(appOf({ architecture }), 'DenoRuntimeLayerStack');
    layer.resourceCountIs('AWS::Lambda::LayerVersion', 1);
    layer.hasResource('AWS::Lambda::LayerVersion', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        LayerName: Match.stringLikeRegexp(`^deno-2_9_5-${architecture}-[0-9a-f]{12}$`),
        CompatibleArchitectures: [architecture],
        CompatibleRuntimes: ['provided.al2023'],
        LicenseInfo: 'MIT',
      },
    });
    layer.hasOutput('LayerArn', { Value: { Ref: Match.anyValue() }, Export: Match.absent() });
    layer.hasOutput('LayerArch', { Value: architecture });
    layer.hasOutput('DenoVersion', { Value: '2.9.5' });
  });

  test('names the version output after the runtime', () => {
    template(appOf({ architecture: 'arm64' }), 'NodeRuntimeLayerStack').hasOutput('NodeVersion', {
      Value: '24.21.0',
    });
  });

  test('keeps its resource for the same content, and adds one for other content', () => {
    const ids = (seed: string) =>
      Object.keys(
        template(appOf({ createExample: 'true' }, { seed }), 'DenoRuntimeLayerStack').findResources(
          'AWS::Lambda::LayerVersion',
        ),
      );
    expect(ids('a')).toEqual(ids('a'));
    expect(ids('a')).not.toEqual(ids('b'));
  });
});

describe('example stack', () => {
  test.each([
    ['DenoExampleFnStack', 'mod.handler'],
    ['NodeExampleFnStack', 'index.handler'],
  ])('%s has a function with the runtime of the layer', (name, handler) => {
    const example = template(appOf({ createExample: 'true', architecture: 'x86_64' }), name);
    example.hasResourceProperties('AWS::Lambda::Function', {
      Runtime: 'provided.al2023',
      Handler: handler,
      Architectures: ['x86_64'],
      MemorySize: 512,
    });
    example.hasOutput('TestFunctionName', { Value: { Ref: Match.anyValue() } });
    expect(example.findOutputs('TestFunctionUrl')).toEqual({});
  });

  test('attaches the layer of the same app, without an export that would lock it', () => {
    const app = appOf({ createExample: 'true' });
    const producer = template(app, 'DenoRuntimeLayerStack');
    const exported = Object.values(producer.toJSON().Outputs).filter(
      (output) => (output as { Export?: unknown }).Export,
    );
    expect(exported).toEqual([]);
    template(app, 'DenoExampleFnStack').hasResourceProperties('AWS::Lambda::Function', {
      Layers: [
        { 'Fn::GetStackOutput': { StackName: 'DenoRuntimeLayerStack', OutputName: 'LayerArn' } },
      ],
    });
    expect(stackOf(app, 'DenoExampleFnStack').dependencies).toEqual([
      stackOf(app, 'DenoRuntimeLayerStack'),
    ]);
  });

  test('reads an output that the layer has without it, so that it can be added later', () => {
    const alone = template(appOf({ createExample: 'false' }), 'DenoRuntimeLayerStack');
    const together = template(appOf({ createExample: 'true' }), 'DenoRuntimeLayerStack');
    expect(together.toJSON().Outputs).toEqual(alone.toJSON().Outputs);
  });

  test('changes with the content of the layer, so that a deployment updates it', () => {
    const text = (seed: string) =>
      JSON.stringify(
        template(appOf({ createExample: 'true' }, { seed }), 'DenoExampleFnStack').toJSON(),
      );
    expect(text('a')).toEqual(text('a'));
    expect(text('a')).not.toEqual(text('b'));
  });

  test('attaches an existing layer by its ARN', () => {
    const app = appOf({ createExample: 'true', layerArn: ARN });
    template(app, 'DenoExampleFnStack').hasResourceProperties('AWS::Lambda::Function', {
      Layers: [ARN],
    });
  });

  test('removes its logs with itself', () => {
    template(appOf({ createExample: 'true' }), 'DenoExampleFnStack').hasResource(
      'AWS::Logs::LogGroup',
      { DeletionPolicy: 'Delete' },
    );
  });

  test.each([
    ['iam', 'AWS_IAM', 0],
    ['public', 'NONE', 2],
  ])('functionUrl=%s gives a URL for %s', (functionUrl, AuthType, permissions) => {
    const example = template(appOf({ createExample: 'true', functionUrl }), 'DenoExampleFnStack');
    example.hasResourceProperties('AWS::Lambda::Url', { AuthType });
    example.hasOutput('TestFunctionUrl', { Value: Match.anyValue() });
    example.resourceCountIs('AWS::Lambda::Permission', permissions);
  });

  test('fails with the layer of another runtime, in that stack only', () => {
    const layerArn = `arn:aws:lambda:eu-west-1:123456789012:layer:deno-2_9_5-arm64-${'a'.repeat(12)}:1`;
    const app = appOf({ createExample: 'true', layerArn });
    const errors = (id: string) =>
      stackOf(app, id).node.metadata.filter(({ type }) => type === 'aws:cdk:error');
    expect(errors('DenoExampleFnStack')).toEqual([]);
    expect(errors('NodeExampleFnStack')).toEqual([
      expect.objectContaining({ data: expect.stringContaining('deploy DenoExampleFnStack') }),
    ]);
  });
});
