import { readFileSync } from 'node:fs';

/** What the table of ARNs that the rehearsal prints says of one parameter. */
export interface ArnRow {
  readonly account: string;
  readonly region: string;
  /** Parameter name below the namespace. */
  readonly parameter: string;
  readonly arn: string;
}

export function readJsonFile<Content>(file: string): Content {
  return JSON.parse(readFileSync(file, 'utf8'));
}

export function parseArnTable(stdout: string): ArnRow[] {
  const row = /^│ *(\d{12}) *│ *(\S+) *│ *(\S+) *│ *(\S.*?) *│ *(arn:\S+) *│$/gm;
  return [...stdout.matchAll(row)].flatMap(([, account, region, runtime, keys, arn]) =>
    keys.split(', ').map((key) => ({ account, region, parameter: `${runtime}/${key}`, arn })),
  );
}

/** The `export NAME=value` lines of a kept rehearsal. */
export function parseExports(stdout: string): Record<string, string> {
  return Object.fromEntries(
    [...stdout.matchAll(/^ *export ([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [
      name,
      value.replace(/^'(.*)'$/, '$1'),
    ]),
  );
}
