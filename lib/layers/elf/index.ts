export { assertMachine, type ElfHeader, readElfHeader } from './header';
export { neededGlibc } from './needs';
export { stripElf } from './strip';
