import { Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { planOf, rawConfig } from './fixture';
import { stackOf } from './rendered';

describe('a pipeline with notifications', () => {
  const raw = {
    ...rawConfig(),
    waves: [{ name: 'one', accounts: ['888888888888'], regions: ['us-east-1'] }],
    notifications: { emails: ['ops@example.com'] },
  };
  const { app, stack } = stackOf({ plan: planOf(raw) });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const template = Template.fromStack(stack);

  test('passes cdk-nag', () => {
    expect(() => app.synth()).not.toThrow();
  });

  test('tells the topic of failed executions and of approvals that wait, of this pipeline alone', () => {
    const rules = Object.values(template.findResources('AWS::Events::Rule'));
    expect(rules.map(({ Properties }) => Properties.EventPattern)).toEqual([
      {
        source: ['aws.codepipeline'],
        'detail-type': ['CodePipeline Pipeline Execution State Change'],
        detail: { pipeline: ['layers'], state: ['FAILED'] },
      },
      {
        source: ['aws.codepipeline'],
        'detail-type': ['CodePipeline Action Execution State Change'],
        detail: {
          pipeline: ['layers'],
          state: ['STARTED'],
          type: { category: ['Approval'] },
        },
      },
    ]);
    const [topic] = Object.keys(template.findResources('AWS::SNS::Topic'));
    for (const { Properties } of rules) {
      expect(Properties.Targets).toEqual([expect.objectContaining({ Arn: { Ref: topic } })]);
    }
    template.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'ops@example.com',
      TopicArn: { Ref: topic },
    });
  });

  test('encrypts the topic with a key that the rules may use, and takes TLS only', () => {
    template.hasResourceProperties('AWS::SNS::Topic', {
      TopicName: 'layers-notifications',
      KmsMasterKeyId: Match.anyValue(),
    });
    template.hasResourceProperties('AWS::KMS::Key', {
      EnableKeyRotation: true,
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({
            // Without a condition: AWS supports none for EventBridge and an encrypted topic.
            Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
            Principal: { Service: 'events.amazonaws.com' },
          }),
        ]),
      },
    });
    template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Deny',
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
          Match.objectLike({
            Effect: 'Allow',
            Action: 'sns:Publish',
            Principal: { Service: 'events.amazonaws.com' },
          }),
        ]),
      },
    });
  });
});
