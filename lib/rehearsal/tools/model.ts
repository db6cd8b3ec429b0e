import type { Architecture } from '../../release';

/** Something that the machine cannot do, said so that the reader can change it. */
export interface NotAvailable {
  /** What is missing, `arm64 functions`. */
  readonly what: string;
  readonly why: string;
  /** A command or a change that makes it available. */
  readonly cure: string;
}

/** qemu's user-mode emulator for arm64, with the C library that arm64 programs load. */
export interface Qemu {
  /** Path of `qemu-aarch64-static`. */
  readonly static: string;
  /** Folder with `lib/ld-linux-aarch64.so.1`. */
  readonly sysroot: string;
  /** Folder that this qemu was built to look for libraries in; absent when unknown. */
  readonly prefix?: string;
}

/** Programs that running a function takes. */
export interface EmulatorTools {
  /** AWS's Runtime Interface Emulator for this machine's processor. */
  readonly rieBin: string;
  /** This machine's processor. */
  readonly native: Architecture;
  /** Absent where arm64 cannot be emulated; `notAvailable` says why. */
  readonly qemu?: Qemu;
  readonly notAvailable: readonly NotAvailable[];
}

/** Programs that the rehearsal runs, all of pinned versions but qemu. */
export interface Tools extends EmulatorTools {
  /** Python of a virtual environment that holds MiniStack. */
  readonly pythonBin: string;
  /** The AWS CLI. */
  readonly awsBin: string;
}

export interface EnsureToolsOptions {
  /** Called with one line before each step that takes long. */
  readonly onProgress?: (message: string) => void;
}
