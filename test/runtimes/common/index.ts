import type { RuntimeDialect } from '../running-layer';
import { askedClient } from './asked-client';
import { askForHandlers } from './handlers';
import { askForInvocations } from './invocations';
import { askForLogs } from './logs';
import { askForPieces } from './pieces';
import { askForTheWire } from './wire';

/**
 * The contract as far as it can be asked of any client of the Runtime API: one test a row of
 * docs/runtimes.md, titled as the row is, and no stricter than it. How a client words a log or names
 * an error is its own matter, and so is whether it posts an error that ends the process: Lambda
 * itself fails the invocation of a process that ended.
 *
 * @param notAsked why a row cannot be asked of this client, by title
 */
export function describeCommonContract(
  dialect: RuntimeDialect,
  notAsked: Readonly<Record<string, string>>,
): void {
  const client = askedClient(dialect, notAsked);
  askForInvocations(client);
  askForHandlers(client);
  askForTheWire(client);
  askForPieces(client);
  askForLogs(client);
}
