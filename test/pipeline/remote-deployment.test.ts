import { Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { planOf, rawConfig } from './fixture';
import { plannedLayout, renderedLayout, stackOf, stagesOf } from './rendered';

describe('delivery pipeline with regions that have no CodePipeline', () => {
  const raw = rawConfig();
  raw.waves[0].regions = ['us-east-1', 'ca-west-1', 'mx-central-1'];
  const plan = planOf(raw);
  const { app, stack } = stackOf({ plan });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const template = Template.fromStack(stack);
  const stages = stagesOf(template);

  test('renders the plan: one action deploys to them, beside the other deployments', () => {
    expect(renderedLayout(stages)).toEqual(plannedLayout(plan));
    const { Actions = [] } = stages.find(({ Name }) => Name === 'pilot-publish') ?? {};
    expect(Actions.map(({ RunOrder, Name }) => `${RunOrder} ${Name}`).sort()).toEqual([
      '1 Publish-remote-pilot',
      '1 publish-888888888888-us-east-1',
      '2 Smoke-pilot',
    ]);
  });

  test('the CDK CLI deploys their stacks out of the cloud assembly', () => {
    const specs = Object.values(template.findResources('AWS::CodeBuild::Project')).map(
      ({ Properties }) => String(Properties.Source.BuildSpec),
    );
    const [spec] = specs.filter(
      (text) => text.includes('Release-remote') || /deploy .*publish-/.test(text),
    );
    expect(JSON.parse(spec).phases.build.commands).toEqual([
      "cdk -a . deploy --require-approval never --method direct --progress events --concurrency 2 'Delivery/publish-888888888888-ca-west-1/Layers' 'Delivery/publish-888888888888-mx-central-1/Layers'",
    ]);
  });

  test('its role may assume the bootstrap roles of just these targets', () => {
    const statements = Object.values(template.findResources('AWS::IAM::Policy'))
      .filter(({ Properties }) => /remotepilot/.test(Properties.Roles[0].Ref))
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
      .filter(({ Sid }) => Sid === 'EnterTargets');
    expect(statements).toHaveLength(2);
    const role = (name: string, region: string) =>
      `arn:aws:iam::888888888888:role/cdk-hnb659fds-${name}-role-888888888888-${region}`;
    for (const { Action, Resource } of statements) {
      expect(Action).toBe('sts:AssumeRole');
      expect(Resource).toEqual([
        role('deploy', 'ca-west-1'),
        role('deploy', 'mx-central-1'),
        role('file-publishing', 'ca-west-1'),
        role('file-publishing', 'mx-central-1'),
      ]);
    }
  });

  test('needs no artifact store there', () => {
    const regions = stages.flatMap(({ Actions }) => Actions.flatMap(({ Region }) => Region ?? []));
    expect(new Set(regions)).toEqual(new Set(['eu-west-1']));
  });

  test('passes cdk-nag', () => {
    expect(() => app.synth()).not.toThrow();
  });
});
