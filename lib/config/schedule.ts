/** A schedule of EventBridge, or what is wrong with it and what to write. */
export function scheduleFault(value: string): string | undefined {
  const rate = /^rate\((\d+) (minutes?|hours?|days?)\)$/.exec(value);
  if (rate) {
    const [, number, unit] = rate;
    if ((number === '1') === unit.endsWith('s')) {
      return `does not read as EventBridge writes it; use ${unit.replace(/s$/, '')} for 1 and ${unit.replace(/s$/, '')}s for more`;
    }
    const minutes =
      Number(number) * (unit.startsWith('day') ? 1440 : unit.startsWith('h') ? 60 : 1);
    if (minutes > TEN_YEARS) return TOO_SELDOM;
    return minutes >= 60 ? undefined : TOO_OFTEN;
  }
  const cron = /^cron\(([^()]*)\)$/.exec(value);
  if (!cron) return NO_SCHEDULE;
  const fields = cron[1].split(' ');
  if (fields.length !== 6) {
    return `has ${fields.length} cron fields; EventBridge wants six: minutes, hours, day of month, month, day of week, year`;
  }
  const [minutes, , dayOfMonth, , dayOfWeek] = fields;
  const wrong = FIELDS.find((field, index) => !takes(field, fields[index]));
  if (wrong) {
    return `has "${fields[FIELDS.indexOf(wrong)]}" as ${wrong.name}; write for example cron(0 6 ? * MON *)`;
  }
  if ((dayOfMonth === '?') === (dayOfWeek === '?')) {
    return 'must have ? as day of month or as day of week, and not as both; write for example cron(0 6 ? * MON *)';
  }
  return /^\d+$/.test(minutes) ? undefined : TOO_OFTEN;
}

const NO_SCHEDULE = 'is not a schedule; write rate(7 days) or cron(0 6 ? * MON *), in UTC';
const TOO_OFTEN = 'starts the pipeline more than once an hour; write for example rate(1 day)';

/** Ten years in minutes. */
const TEN_YEARS = 3650 * 1440;
const TOO_SELDOM =
  'starts the pipeline less than once in ten years; write for example rate(7 days)';

/** A field of a cron expression: numbers, or names that stand for them. */
interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  /** Names of the numbers, from the least one on. @default none */
  readonly names?: readonly string[];
  /** What the whole field may be besides. */
  readonly also?: RegExp;
}

/**
 * What the six fields take
 * (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html).
 */
const FIELDS: readonly Field[] = [
  { name: 'minutes', least: 0, most: 59 },
  { name: 'hours', least: 0, most: 23 },
  {
    name: 'day of month',
    least: 1,
    most: 31,
    also: /^(?:\?|L|LW|(?:0?[1-9]|[12]\d|3[01])W)$/,
  },
  {
    name: 'month',
    least: 1,
    most: 12,
    names: 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' '),
  },
  {
    name: 'day of week',
    least: 1,
    most: 7,
    names: 'SUN MON TUE WED THU FRI SAT'.split(' '),
    also: /^(?:\?|L|[1-7]L|[1-7]#[1-5])$/,
  },
  { name: 'year', least: 1970, most: 2199 },
];

/** `*`, a value or a range, with an optional step. */
const ITEM = /^(?:\*|([A-Z]+|\d+)(?:-([A-Z]+|\d+))?)(?:\/(\d+))?$/;

function takes(field: Field, text: string): boolean {
  const { least, most, names = [], also } = field;
  const number = (value: string) => {
    const named = names.indexOf(value);
    if (named >= 0) return least + named;
    return value.length > String(most).length ? Number.NaN : Number(value);
  };
  const takesItem = (item: string) => {
    const parts = ITEM.exec(item);
    if (!parts) return false;
    const [, from = String(least), to = from, step = '1'] = parts;
    const [first, last, every] = [number(from), number(to), Number(step)];
    return least <= first && first <= last && last <= most && 1 <= every && every <= most;
  };
  return also?.test(text) || text.split(',').every(takesItem);
}
