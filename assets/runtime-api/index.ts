export { importFile } from './import-file';
export type { Connect, Platform, Receiver, Socket } from './platform';
export { serve } from './serve';
