export { NOT_RUN, runDaemon } from './daemon';
export { CloudHandle, stopKept } from './start';
export { type CloudState, type Invocation, readInvocations, readKept } from './state';
