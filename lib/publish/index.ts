export { publishCommand } from './command';
export { type PublishedObject, type PublishOptions, publish, publishError } from './publish';
