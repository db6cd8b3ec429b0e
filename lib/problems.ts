import type { z } from 'zod';

/** One thing wrong: where, and what to do about it. */
export interface Problem {
  /** Dotted path. */
  readonly field: string;
  readonly message: string;
}

/**
 * What a schema has found wrong with a file that a person writes, in words for that person.
 *
 * @param root what the whole is called: paths begin with it; nothing where they need no beginning
 */
export function problemsOf(
  issues: readonly z.core.$ZodIssue[],
  raw: unknown,
  root?: string,
): Problem[] {
  const before = root === undefined ? [] : [root];
  return ofRightType(issues).flatMap((issue) =>
    describe(issue, raw, [...before, ...issue.path].join('.') || 'file'),
  );
}

/** Zod goes on with a value of the wrong type, and counts the letters of a text for a list. */
function ofRightType(issues: readonly z.core.$ZodIssue[]): readonly z.core.$ZodIssue[] {
  const pathOf = ({ path }: z.core.$ZodIssue) => path.join('.');
  const wrong = new Set(issues.filter(({ code }) => code === 'invalid_type').map(pathOf));
  return issues.filter((issue) => issue.code === 'invalid_type' || !wrong.has(pathOf(issue)));
}

function describe(issue: z.core.$ZodIssue, raw: unknown, field: string): Problem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      field: `${field === 'file' ? '' : `${field}.`}${key}`,
      message: 'is not a known field; check its spelling, or remove it',
    }));
  }
  if (issue.code === 'invalid_key') {
    const [{ message }] = issue.issues;
    return [{ field, message: `${JSON.stringify(issue.path.at(-1))} ${message}` }];
  }
  const value = issue.path.reduce<unknown>(
    (node, key) => (node as Record<PropertyKey, unknown> | undefined)?.[key],
    raw,
  );
  if (value === undefined) return [{ field, message: 'is missing; add it' }];
  const expected =
    issue.code === 'invalid_type' && issue.message.startsWith('Invalid input')
      ? `is not what belongs here; write ${article(issue.expected)}`
      : issue.message;
  return [{ field, message: `${JSON.stringify(value)} ${expected}` }];
}

function article(type: string): string {
  const names: Record<string, string> = {
    array: 'a list in brackets',
    object: 'an object in braces',
    record: 'an object in braces',
    string: 'a text in quotes',
    boolean: 'true or false',
  };
  return names[type] ?? `a ${type}`;
}
