export { ensureTools } from './ensure';
export type { EnsureToolsOptions, NotAvailable, Qemu, Tools } from './model';
