import { type DeliveryConfig, partitionOf } from '../../config';
import { LayersError } from '../../errors';

/**
 * A configuration that the local cloud can have: MiniStack's ARNs are all of partition `aws`.
 *
 * @throws LayersError `PartitionNotRehearsed`
 */
export function rehearsable(config: DeliveryConfig): DeliveryConfig {
  const { region } = config.home;
  const partition = partitionOf(region);
  if (partition === 'aws') return config;
  throw new LayersError(
    'PartitionNotRehearsed',
    `delivery.home.region: "${region}" is in partition ${partition}, and the local cloud has partition aws alone; rehearse the configuration with regions of aws (--config FILE), such as us-east-1 and us-west-2`,
  );
}
