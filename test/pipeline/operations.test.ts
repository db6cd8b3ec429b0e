import { Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { planOf, rawConfig } from './fixture';
import { stackOf } from './rendered';

function pipelineWith(operations: object) {
  const waves = [{ name: 'one', accounts: ['888888888888'], regions: ['us-east-1'] }];
  const { app, stack } = stackOf({ plan: planOf({ ...rawConfig(), waves, ...operations }) });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return { app, template: Template.fromStack(stack) };
}

describe('a pipeline with monitoring', () => {
  const { app, template } = pipelineWith({ notifications: {}, monitoring: { dashboard: true } });
  const [topic] = Object.keys(template.findResources('AWS::SNS::Topic'));
  const ruleOf = (state: string) =>
    Object.entries(template.findResources('AWS::Events::Rule')).find(([, { Properties }]) =>
      JSON.stringify(Properties.EventPattern).includes(state),
    )?.[0];

  test('passes cdk-nag', () => {
    expect(() => app.synth()).not.toThrow();
  });

  test('is made and changed after all that tells of it: it starts at once', () => {
    const [pipeline] = Object.values(template.findResources('AWS::CodePipeline::Pipeline'));
    const types = ['AWS::SNS::TopicPolicy', 'AWS::Events::Rule', 'AWS::CloudWatch::Alarm'];
    const before = [...types, 'AWS::CloudWatch::Dashboard'].flatMap((type) =>
      Object.keys(template.findResources(type)),
    );
    expect(before).toHaveLength(1 + 2 + 3 + 1);
    expect(pipeline?.DependsOn).toEqual(expect.arrayContaining(before));
  });

  test('has an alarm on each failed execution, which the topic hears of', () => {
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'layers-failed-executions',
      Namespace: 'AWS/Events',
      MetricName: 'TriggeredRules',
      Dimensions: [{ Name: 'RuleName', Value: { Ref: ruleOf('FAILED') } }],
      Statistic: 'Sum',
      Threshold: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      TreatMissingData: 'notBreaching',
      AlarmActions: [{ Ref: topic }],
    });
  });

  test.each([
    ['failures', 'FAILED'],
    ['approvals', 'STARTED'],
  ])('has an alarm on notifications of %s that no topic took', (what, state) => {
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: `layers-lost-${what}`,
      MetricName: 'FailedInvocations',
      Dimensions: [{ Name: 'RuleName', Value: { Ref: ruleOf(state) } }],
      AlarmActions: [{ Ref: topic }],
    });
  });

  test('lets just these alarms publish, and use the key', () => {
    const arns = Object.keys(template.findResources('AWS::CloudWatch::Alarm')).map((id) => ({
      'Fn::GetAtt': [id, 'Arn'],
    }));
    expect(arns).toHaveLength(3);
    template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          {
            Sid: 'Alarms',
            Action: 'sns:Publish',
            Effect: 'Allow',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Resource: { Ref: topic },
            Condition: { ArnEquals: { 'aws:SourceArn': arns } },
          },
        ]),
      },
    });
    template.hasResourceProperties('AWS::KMS::Key', {
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Condition: { StringEquals: { 'aws:SourceAccount': '999999999999' } },
          }),
        ]),
      },
    });
  });

  test('has one dashboard, whose body is JSON', () => {
    const [dashboard] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'));
    expect(dashboard.Properties.DashboardName).toBe('layers-delivery');
    const body = dashboard.Properties.DashboardBody['Fn::Join'][1]
      .map((part: unknown) => (typeof part === 'string' ? part : 'reference'))
      .join('');
    expect(JSON.parse(body).widgets).toHaveLength(4);
  });

  test('has no dashboard and no alarm where none is asked for', () => {
    const alarmsOnly = pipelineWith({ notifications: {}, monitoring: {} }).template;
    alarmsOnly.resourceCountIs('AWS::CloudWatch::Alarm', 3);
    alarmsOnly.resourceCountIs('AWS::CloudWatch::Dashboard', 0);
    pipelineWith({ notifications: {} }).template.resourceCountIs('AWS::CloudWatch::Alarm', 0);
  });
});

describe('a pipeline with a schedule', () => {
  const { app, template } = pipelineWith({ schedule: 'rate(7 days)' });

  test('passes cdk-nag', () => {
    expect(() => app.synth()).not.toThrow();
  });

  test('is started by a rule, whose role may start this pipeline and nothing else', () => {
    const [[, rule]] = Object.entries(template.findResources('AWS::Events::Rule'));
    expect(rule.Properties).toMatchObject({
      ScheduleExpression: 'rate(7 days)',
      State: 'ENABLED',
      Targets: [{ RoleArn: { 'Fn::GetAtt': [expect.any(String), 'Arn'] } }],
    });
    const [{ Arn, RoleArn }] = rule.Properties.Targets;
    const [roleId] = RoleArn['Fn::GetAtt'];
    template.hasResourceProperties('AWS::IAM::Role', {
      AssumeRolePolicyDocument: {
        Statement: [{ Principal: { Service: 'events.amazonaws.com' } }],
      },
    });
    const policies = Object.values(template.findResources('AWS::IAM::Policy')).filter(
      ({ Properties }) => Properties.Roles.some(({ Ref }: { Ref: string }) => Ref === roleId),
    );
    expect(policies.map(({ Properties }) => Properties.PolicyDocument.Statement)).toEqual([
      [{ Action: 'codepipeline:StartPipelineExecution', Effect: 'Allow', Resource: Arn }],
    ]);
    expect(Arn).toBe('arn:aws:codepipeline:us-east-1:999999999999:layers');
  });

  test('is absent where none is configured', () => {
    pipelineWith({}).template.resourceCountIs('AWS::Events::Rule', 0);
  });
});
