import Table from 'cli-table3';
import type { TargetChanges } from './against';
import type { Preview } from './preview';

/** A quota that is this full is worth a line. */
const NEARLY_FULL = 0.8;

/** The preview as a person reads it. */
export function describePreview(preview: Preview): string {
  const { name, home, layers, waves, stages, quotas, seconds, cost } = preview;
  const targets = waves.reduce((sum, wave) => sum + wave.targets.length, 0);
  const actions = stages.reduce((sum, stage) => sum + stage.actions.length, 0);
  const paused = waves.flatMap((wave) => wave.paused.map((entry) => ({ ...entry, wave })));
  const nearlyFull = quotas.filter(({ used, limit }) => used >= NEARLY_FULL * limit);
  return [
    `pipeline ${name} in ${home.account}/${home.region}: ${count(layers.length, 'layer')}, ${count(targets, 'target')}, ${count(stages.length, 'stage')}, ${count(actions, 'action')}`,
    ...layers.map(
      (layer) =>
        `layer   ${layer.runtime} ${layer.version} ${layer.architecture}: ${layer.name ?? 'not built here'}`,
    ),
    ...waves.map(
      (wave) =>
        `wave    ${wave.name}: ${count(wave.targets.length, 'target')} in ${count(wave.steps, 'step')}` +
        `${wave.approval ? ', after an approval' : ''}${wave.canary ? `, ${wave.canary} first` : ''}`,
    ),
    ...paused.map(
      ({ account, region, reason, since, wave }) =>
        `paused  ${account}/${region} of wave ${wave.name} since ${since}: ${reason}`,
    ),
    '',
    stageTable(preview),
    '',
    ...nearlyFull.map(
      ({ quota, used, limit, field, cure }) =>
        `nearly full: ${field}: ${used} ${quota}, AWS takes ${limit}; then ${cure}`,
    ),
    ...preview.unconfirmed.map(
      ({ region, what }) => `unconfirmed in ${region}, try it first: ${what.join(', ')}`,
    ),
    `expected ${(seconds / 60).toFixed(1)} minutes when everything is new, approvals aside (a model: docs/performance.md)`,
    costLine(cost),
  ].join('\n');
}

function costLine({ run, month }: Preview['cost']): string {
  const dollars = (amount: number) => `$${amount.toFixed(2)}`;
  const parts = (of: Readonly<Record<string, number>>) =>
    Object.entries(of)
      .filter(([what, amount]) => what !== 'total' && amount > 0)
      .map(([what, amount]) => `${what} ${dollars(amount)}`)
      .join(', ');
  return `estimated ${dollars(run.total)} for such a run (${parts(run)}), ${dollars(month.total)} a month besides (${parts(month)}), free tiers not taken off`;
}

function stageTable({ stages }: Preview): string {
  const table = new Table({
    head: ['stage', 'actions', 'seconds'],
    colAligns: ['left', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  table.push(...stages.map(({ name, actions, seconds }) => [name, actions.length, seconds]));
  return table.toString();
}

/** What a run would change in each target. */
export function describeChanges(changes: readonly TargetChanges[]): string {
  return changes
    .flatMap(({ account, region, paused, added, moved, dropped, unchanged, problem }) => {
      const where = `${account}/${region}`;
      if (problem) return [`${where}: could not be read: ${problem}`];
      const counts = [
        `${added.length} new`,
        `${moved.length} moved`,
        `${dropped.length} dropped`,
        `${unchanged} unchanged`,
      ].join(', ');
      return [
        `${where}: ${counts}${paused ? ' (paused: a run changes nothing here)' : ''}`,
        ...added.map((name) => `  + ${name}`),
        ...moved.map((name) => `  ~ ${name}`),
        ...dropped.map((name) => `  - ${name}`),
      ];
    })
    .join('\n');
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
