import {
  aws_events as events,
  aws_iam as iam,
  aws_kms as kms,
  RemovalPolicy,
  Stack,
  aws_sns as sns,
  aws_sns_subscriptions as subscriptions,
  aws_events_targets as targets,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';

export interface PipelineNotificationsProps {
  /** Pipeline of the same stack; its topic is `<name>-notifications`. */
  readonly pipelineName: string;
  /** Addresses to subscribe. @default none: subscribe to the topic yourself */
  readonly emails?: readonly string[];
}

/** A topic that tells of executions that failed, and of approvals that wait for somebody. */
export class PipelineNotifications extends Construct {
  readonly topic: sns.Topic;
  /** Matches each execution that failed. */
  readonly failed: events.Rule;
  /** Matches each approval that waits. */
  readonly waiting: events.Rule;
  private readonly key: kms.Key;

  constructor(scope: Construct, id: string, props: PipelineNotificationsProps) {
    super(scope, id);
    const { pipelineName, emails = [] } = props;
    this.key = new kms.Key(this, 'Key', {
      description: 'Encrypts the notifications of the layer delivery pipeline',
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.topic = new sns.Topic(this, 'Topic', {
      topicName: `${pipelineName}-notifications`,
      masterKey: this.key,
      enforceSSL: true,
    });
    for (const email of emails) {
      this.topic.addSubscription(new subscriptions.EmailSubscription(email));
    }
    const execution = events.EventField.fromPath('$.detail.execution-id');
    this.failed = this.rule('Failed', {
      description: `An execution of pipeline ${pipelineName} failed`,
      detailType: 'CodePipeline Pipeline Execution State Change',
      detail: { pipeline: [pipelineName], state: ['FAILED'] },
      text: `Execution ${execution} of pipeline ${pipelineName} failed. What has passed stays; retry the stage, or push a correction.`,
    });
    this.waiting = this.rule('Waiting', {
      description: `An approval of pipeline ${pipelineName} waits`,
      detailType: 'CodePipeline Action Execution State Change',
      detail: {
        pipeline: [pipelineName],
        state: ['STARTED'],
        type: { category: ['Approval'] },
      },
      text: `${events.EventField.fromPath('$.detail.action')} of pipeline ${pipelineName} waits for somebody (stage ${events.EventField.fromPath('$.detail.stage')}, execution ${execution}). Its message says what goes where.`,
    });
  }

  /** Lets alarms of this account tell the topic. */
  admitAlarms(alarmArns: readonly string[]): void {
    const principal = new iam.ServicePrincipal('cloudwatch.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
    });
    this.key.grant(principal, 'kms:Decrypt', 'kms:GenerateDataKey');
    this.topic.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'Alarms',
        actions: ['sns:Publish'],
        principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
        resources: [this.topic.topicArn],
        conditions: { ArnEquals: { 'aws:SourceArn': [...alarmArns] } },
      }),
    );
  }

  private rule(
    id: string,
    rule: { description: string; detailType: string; detail: object; text: string },
  ): events.Rule {
    return new events.Rule(this, id, {
      description: rule.description,
      eventPattern: {
        source: ['aws.codepipeline'],
        detailType: [rule.detailType],
        detail: rule.detail,
      },
      targets: [
        new targets.SnsTopic(this.topic, {
          message: events.RuleTargetInput.fromText(rule.text),
        }),
      ],
    });
  }
}
