import { DefaultStackSynthesizer } from 'aws-cdk-lib';

/** CDK's own roles and bucket, under the configured bootstrap qualifier. */
export function targetSynthesizer({ qualifier }: { qualifier: string }): DefaultStackSynthesizer {
  return new DefaultStackSynthesizer({ qualifier });
}
