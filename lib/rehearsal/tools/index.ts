export { ensureEmulatorTools, ensureTools } from './ensure';
export type { EmulatorTools, EnsureToolsOptions, NotAvailable, Qemu, Tools } from './model';
