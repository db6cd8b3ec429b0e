import { parseConfig } from '../../lib/config';
import { rawConfig } from '../pipeline/fixture';

const parse = (schedule: string) => parseConfig({ ...rawConfig(), schedule }).schedule;

test.each([
  'rate(1 hour)',
  'rate(60 minutes)',
  'rate(7 days)',
  'cron(0 6 ? * MON *)',
  'cron(15 12 * * ? *)',
  'cron(0 18 ? * MON-FRI *)',
  'cron(0 8 1 * ? *)',
  'cron(30 */6 ? JAN,JUL 6#3 2020-2199)',
  'cron(0 0 L * ? *)',
  'cron(0 6 15W * ? 2020,2199)',
  'cron(0 0/12 1-31/2 FEB-NOV ? 2020/5)',
])('schedule %s is taken as it is', (schedule) => {
  expect(parse(schedule)).toBe(schedule);
});

test.each([
  ['weekly', 'is not a schedule; write rate(7 days) or cron(0 6 ? * MON *), in UTC'],
  ['rate(0 days)', 'starts the pipeline more than once an hour; write for example rate(1 day)'],
  ['rate(1 days)', 'does not read as EventBridge writes it; use day for 1 and days for more'],
  ['rate(2 hour)', 'does not read as EventBridge writes it; use hour for 1 and hours for more'],
  ['rate(5 minutes)', 'starts the pipeline more than once an hour'],
  ['cron(*/5 * * * ? *)', 'starts the pipeline more than once an hour'],
  ['cron(0,30 6 ? * MON *)', 'starts the pipeline more than once an hour'],
  ['cron(0 6 * * MON)', 'has 5 cron fields; EventBridge wants six: minutes, hours'],
  ['cron(0 6 * * MON *)', 'must have ? as day of month or as day of week, and not as both'],
  ['cron(0 6 ? * ? *)', 'must have ? as day of month or as day of week, and not as both'],
  ['cron(0 24 ? * MON *)', 'has "24" as hours; write for example cron(0 6 ? * MON *)'],
  ['cron(0 6 32 * ? *)', 'has "32" as day of month'],
  ['cron(0 6 ? 13 MON *)', 'has "13" as month'],
  ['cron(0 6 ? * 0 *)', 'has "0" as day of week'],
  ['cron(0 6 ? * MON 1)', 'has "1" as year'],
  ['cron(0 6 99W * ? *)', 'has "99W" as day of month'],
  ['cron(0 */0 ? * MON *)', 'has "*/0" as hours'],
  ['cron(0 6 31-1 * ? *)', 'has "31-1" as day of month'],
  ['cron(0 6 ? * FRI-MON *)', 'has "FRI-MON" as day of week'],
  ['cron(0 6 ? MON * *)', 'has "MON" as month'],
  ['rate(99999999999 days)', 'starts the pipeline less than once in ten years'],
])('fails on schedule %s', (schedule, message) => {
  expect(() => parse(schedule)).toThrow(`delivery.schedule: "${schedule}" ${message}`);
});
