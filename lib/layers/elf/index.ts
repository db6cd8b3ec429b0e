export { assertMachine, type ElfHeader, readElfHeader, readingElf, readOwnElf } from './header';
export { neededGlibc, neededLibraries } from './needs';
export { stripElf } from './strip';
export { exportedSymbols, importedSymbols } from './symbols';
