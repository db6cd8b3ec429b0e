export { DeliveryPipelineStack, type DeliveryPipelineStackProps } from './delivery-pipeline-stack';
