export { type RunningServer, serve } from './server';
