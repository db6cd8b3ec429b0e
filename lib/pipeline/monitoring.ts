import {
  aws_cloudwatch_actions as actions,
  aws_cloudwatch as cloudwatch,
  Duration,
  type aws_events as events,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { PipelineNotifications } from './notifications';

export interface PipelineMonitoringProps {
  readonly pipelineName: string;
  /** Its rules are counted, and its topic is told. */
  readonly notifications: PipelineNotifications;
  /** Also shows executions and builds on a dashboard. @default false */
  readonly dashboard?: boolean;
}

/** Failures of CodeBuild's projects and how long their builds take: the home account's own. */
const BUILDS = [
  { title: 'Builds that failed', metric: 'FailedBuilds', statistic: 'Sum' },
  { title: 'Seconds of builds', metric: 'Duration', statistic: 'Average' },
];

/**
 * Alarms on executions that failed and on notifications that reached nobody.
 *
 * What is counted is how often a rule matched
 * (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html): CodePipeline's own
 * metrics, which V2 pipelines have, do not exist in GovCloud and China.
 */
export class PipelineMonitoring extends Construct {
  constructor(scope: Construct, id: string, props: PipelineMonitoringProps) {
    super(scope, id);
    const { pipelineName, notifications } = props;
    const { failed, waiting } = notifications;
    const failures = ruleMetric(failed, 'TriggeredRules');
    const alarms = [
      this.alarm('FailedExecutions', notifications, {
        alarmName: `${pipelineName}-failed-executions`,
        alarmDescription: `An execution of pipeline ${pipelineName} failed. Retry the stage, or push a correction.`,
        metric: failures,
      }),
      ...Object.entries({ failures: failed, approvals: waiting }).map(([what, rule]) =>
        this.alarm(`lost-${what}`, notifications, {
          alarmName: `${pipelineName}-lost-${what}`,
          alarmDescription: `A notification of pipeline ${pipelineName} could not be delivered to its topic. Check the topic's policy and its key.`,
          metric: ruleMetric(rule, 'FailedInvocations'),
        }),
      ),
    ];
    notifications.admitAlarms(alarms.map(({ alarmArn }) => alarmArn));
    if (props.dashboard) this.dashboard(pipelineName, alarms, failures);
  }

  private alarm(
    id: string,
    { topic }: PipelineNotifications,
    props: Pick<cloudwatch.AlarmProps, 'alarmName' | 'alarmDescription' | 'metric'>,
  ): cloudwatch.Alarm {
    const alarm = new cloudwatch.Alarm(this, id, {
      ...props,
      threshold: 1,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: 1,
      // A rule that never matched has no metric.
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new actions.SnsAction(topic));
    return alarm;
  }

  private dashboard(
    pipelineName: string,
    alarms: readonly cloudwatch.Alarm[],
    failures: cloudwatch.IMetric,
  ): void {
    new cloudwatch.Dashboard(this, 'Dashboard', {
      dashboardName: `${pipelineName}-delivery`,
      defaultInterval: Duration.days(30),
      widgets: [
        [
          new cloudwatch.AlarmStatusWidget({ alarms: [...alarms], width: 12 }),
          new cloudwatch.GraphWidget({
            title: 'Executions that failed',
            left: [failures],
            width: 12,
          }),
        ],
        BUILDS.map(
          ({ title, metric, statistic }) =>
            new cloudwatch.GraphWidget({
              title,
              width: 12,
              left: [
                new cloudwatch.SearchExpression({
                  expression: `SEARCH('{AWS/CodeBuild,ProjectName} MetricName="${metric}"', '${statistic}', 3600)`,
                }),
              ],
            }),
        ),
      ],
    });
  }
}

function ruleMetric(rule: events.IRule, metricName: string): cloudwatch.Metric {
  return new cloudwatch.Metric({
    namespace: 'AWS/Events',
    metricName,
    dimensionsMap: { RuleName: rule.ruleName },
    statistic: cloudwatch.Stats.SUM,
    period: Duration.minutes(5),
  });
}
