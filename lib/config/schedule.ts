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
    return minutes >= 60 ? undefined : TOO_OFTEN;
  }
  const cron = /^cron\(([^()]*)\)$/.exec(value);
  if (!cron) return NO_SCHEDULE;
  const fields = cron[1].split(' ');
  if (fields.length !== 6) {
    return `has ${fields.length} cron fields; EventBridge wants six: minutes, hours, day of month, month, day of week, year`;
  }
  const [minutes, , dayOfMonth, , dayOfWeek] = fields;
  const wrong = FIELDS.find(({ pattern }, index) => !pattern.test(fields[index]));
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

/** One value or range of a field, then others, each with an optional step. */
function list(value: string): RegExp {
  const item = `(?:\\*|${value}(?:-${value})?)(?:/\\d+)?`;
  return new RegExp(`^${item}(?:,${item})*$`);
}

/**
 * What the six fields take
 * (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html).
 */
const FIELDS = [
  { name: 'minutes', pattern: list('[0-5]?\\d') },
  { name: 'hours', pattern: list('(?:[01]?\\d|2[0-3])') },
  {
    name: 'day of month',
    pattern: new RegExp(`^(?:\\?|L|\\d{1,2}W|LW)$|${list('(?:0?[1-9]|[12]\\d|3[01])').source}`),
  },
  {
    name: 'month',
    pattern: list('(?:0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)'),
  },
  {
    name: 'day of week',
    pattern: new RegExp(
      `^(?:\\?|L|[1-7]L|[1-7]#[1-5])$|${list('(?:[1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)').source}`,
    ),
  },
  { name: 'year', pattern: list('(?:19[7-9]\\d|2[01]\\d\\d)') },
];
