import type { Decode } from './http';

/** What the Runtime API's client needs of an interpreter. */
export interface Platform {
  /** Extensions of handler files, in the order in which they are tried. */
  readonly extensions: readonly string[];
  getEnv(name: string): string | undefined;
  setEnv(name: string, value: string | undefined): void;
  currentFolder(): string;
  /** The first of some paths in one folder that is a file's. */
  findFile(paths: readonly string[]): string | undefined;
  /** The file of a package that code in a folder could require, where there is such a thing. */
  findModule?(name: string, folder: string): string | undefined;
  loadModule(path: string): Promise<Record<string, unknown>>;
  /** A value as the interpreter's console shows it. */
  inspect(value: unknown): string;
  /** Writes text to standard output, all of it before it returns. */
  print(text: string): void;
  /**
   * Ends the process as soon as what the handler wrote to standard output and error is out.
   *
   * @param thrown why it ends, for an interpreter that knows more of that than the error says
   */
  exit(code: number, thrown: unknown): Promise<void>;
  /** Calls back for every error that nothing caught, and keeps the process alive. */
  onUncaught(callback: (thrown: unknown) => void): void;
  /** Calls back when nothing is left to wait for, and keeps the process alive. */
  onStuck(callback: () => void): void;
  readonly connect: Connect;
  /** Decodes bodies, where the interpreter's own decoder alone is not enough. */
  readonly decode?: Decode;
}

/** @throws when the connection cannot be made */
export type Connect = (host: string, port: number, receiver: Receiver) => Promise<Socket>;

export interface Receiver {
  /** Bytes have arrived; they hold until this returns. */
  receive(bytes: Uint8Array): void;
  /** Nothing can arrive any more: the other side has ended, or the connection was lost. */
  ended(reason?: Error): void;
}

/** A TCP connection without Nagle's delay. */
export interface Socket {
  /** Whether bytes that were written still wait for the other side to take them. */
  readonly busy: boolean;
  /**
   * Never throws: a failure ends the connection.
   *
   * @param taken called once the bytes are on their way, or never can be
   */
  write(bytes: Uint8Array, taken?: () => void): void;
  /** Whether the process shall live for what may yet arrive; at first it does. */
  awaited(yes: boolean): void;
  close(): void;
}
