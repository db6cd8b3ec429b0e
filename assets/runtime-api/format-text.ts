type Inspect = (value: unknown) => string;

/** Kinds of objects whose own text tells less than what an interpreter shows of them. */
const BUILT_IN = [
  'Object',
  'Array',
  'Error',
  'Date',
  'RegExp',
  'String',
  'Number',
  'Boolean',
  'Symbol',
  'BigInt',
];

/**
 * What a console shows for its arguments (https://console.spec.whatwg.org/#formatter): text as it
 * is, anything else as the interpreter shows it, joined by blanks, with the placeholders of a first
 * text filled in, as by Node.js's `util.format`, which Deno would take 26 ms to load.
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
  try {
    switch (kind) {
      case 's':
        return isShown(value) ? inspect(value) : spelled(value);
      case 'd':
      case 'i':
      case 'f':
        return spelled(number(kind, value));
      case 'j':
        return String(JSON.stringify(value));
      case 'c':
        return '';
    }
  } catch {
    // A circle, or what will not become text: the interpreter can show it.
  }
  return inspect(value);
}

/** Whether a value is an object that says of itself only what every one of its kind says. */
function isShown(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return ['toString', Symbol.toPrimitive].every((key) => {
    const owner = ownerOf(key, value);
    const isText = owner && typeof (value as Record<PropertyKey, unknown>)[key] === 'function';
    return !isText || (owner !== value && BUILT_IN.includes(owner.constructor.name));
  });
}

function ownerOf(key: PropertyKey, value: object): object | null {
  let owner: object | null = value;
  while (owner && !Object.hasOwn(owner, key)) owner = Object.getPrototypeOf(owner);
  return owner;
}

function number(kind: string, value: unknown): number | bigint {
  if (typeof value === 'symbol') return Number.NaN;
  if (kind === 'f') return Number.parseFloat(String(value));
  if (typeof value === 'bigint') return value;
  return kind === 'd' ? Number(value) : Number.parseInt(String(value), 10);
}

function spelled(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  return Object.is(value, -0) ? '-0' : String(value);
}

function shown(values: readonly unknown[], inspect: Inspect): string {
  return values.map((value) => (typeof value === 'string' ? value : inspect(value))).join(' ');
}
