export { runDaemon } from './daemon';
export { type LocalServices, NOT_RUN, startServices } from './services';
export { CloudHandle, stopKept } from './start';
export { type CloudState, type Invocation, readInvocations, readKept } from './state';
