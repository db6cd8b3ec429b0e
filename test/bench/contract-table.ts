/** What of a JSON report of jest is read here. */
export interface JestReport {
  readonly testResults: readonly {
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly title: string;
      readonly status: string;
      readonly failureMessages?: readonly string[] | null;
    }[];
  }[];
}

/** What became of one row of the contract: it holds, does not, or cannot be asked. */
export interface RowResult {
  readonly sign: '✓' | '✗' | '–';
  /** Why it does not hold, in one line, or cannot be asked. */
  readonly reason?: string;
}

export interface ClientRows {
  readonly name: string;
  readonly rows?: ReadonlyMap<string, RowResult>;
  /** Why there are none. */
  readonly absent?: string;
}

/**
 * The rows of one client, by title.
 *
 * @param notAsked why rows cannot be asked of it, by title
 * @throws where a row was neither asked nor said to be impossible: that would be a guess
 */
export function rowsOf(
  { testResults }: JestReport,
  notAsked: Readonly<Record<string, string>>,
): Map<string, RowResult> {
  const rows = new Map<string, RowResult>();
  for (const { message, assertionResults } of testResults) {
    if (assertionResults.length === 0) throw new Error(`nothing was asked: ${message}`);
    for (const { title, status, failureMessages } of assertionResults) {
      if (status === 'passed') rows.set(title, { sign: '✓' });
      else if (status === 'failed') {
        rows.set(title, { sign: '✗', reason: firstLine(failureMessages?.[0] ?? '') });
      } else if (title in notAsked) rows.set(title, { sign: '–', reason: notAsked[title] });
      else throw new Error(`"${title}" was not asked, and nothing says why`);
    }
  }
  return rows;
}

/** A line a row, a column a client; clients that are absent have none. */
export function contractTable(clients: readonly ClientRows[]): {
  head: string[];
  rows: string[][];
} {
  const asked = clients.filter(({ rows }) => rows);
  const titles = new Set(asked.flatMap(({ rows }) => [...(rows?.keys() ?? [])]));
  return {
    head: ['row', ...asked.map(({ name }) => name)],
    rows: [...titles].map((title) => [
      title,
      ...asked.map(({ rows }) => rows?.get(title)?.sign ?? '–'),
    ]),
  };
}

/** Why rows have no ✓, one line each, the same words once. */
export function reasonsOf({ name, rows }: ClientRows): string[] {
  const byReason = new Map<string, string[]>();
  for (const [title, { sign, reason }] of rows ?? []) {
    if (sign === '✓') continue;
    const text = `${name} ${sign} ${reason}`;
    byReason.set(text, [...(byReason.get(text) ?? []), title]);
  }
  return [...byReason].map(([text, titles]) => `${text}: ${titles.join('; ')}`);
}

function firstLine(message: string): string {
  const plain = message.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g'), '');
  const lines = plain.split('\n').filter((line) => line.trim() !== '');
  // jest's comparisons say in the lines after the first what was expected.
  const comparison = lines.filter((line) => /^(Expected|Received)/.test(line));
  const text = comparison.length > 0 ? comparison.join(', ') : (lines[0] ?? '');
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}
