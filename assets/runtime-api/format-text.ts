type Inspect = (value: unknown) => string;

/**
 * What a console shows for its arguments (https://console.spec.whatwg.org/#formatter): text as it
 * is, anything else as the interpreter shows it, joined by blanks, with the placeholders of a first
 * text filled in.
 */
export function formatText(args: readonly unknown[], inspect: Inspect): string {
  const [first, ...rest] = args;
  if (typeof first !== 'string' || rest.length === 0) return shown(args, inspect);
  let used = 0;
  const text = first.replace(/%([%sdifjoOc])/g, (placeholder, kind: string) => {
    if (kind === '%') return '%';
    if (used === rest.length) return placeholder;
    return filledIn(kind, rest[used++], inspect);
  });
  const others = rest.slice(used);
  return others.length === 0 ? text : `${text} ${shown(others, inspect)}`;
}

function filledIn(kind: string, value: unknown, inspect: Inspect): string {
  switch (kind) {
    case 's':
      return typeof value === 'object' && value !== null ? inspect(value) : String(value);
    case 'd':
    case 'i':
    case 'f':
      return number(kind, value);
    case 'j':
      return json(value, inspect);
    case 'c':
      return '';
    default:
      return inspect(value);
  }
}

function number(kind: string, value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'symbol' || (typeof value === 'object' && value !== null)) return 'NaN';
  if (kind === 'd') return String(Number(value));
  return String(
    kind === 'i' ? Number.parseInt(String(value), 10) : Number.parseFloat(String(value)),
  );
}

function json(value: unknown, inspect: Inspect): string {
  try {
    return String(JSON.stringify(value));
  } catch {
    // A circle or a BigInt: the interpreter can show it.
    return inspect(value);
  }
}

function shown(values: readonly unknown[], inspect: Inspect): string {
  return values.map((value) => (typeof value === 'string' ? value : inspect(value))).join(' ');
}
