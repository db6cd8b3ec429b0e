import { LayersError } from '../errors';
import { type Problem, problemsOf } from '../problems';
import { partitionOf, REGIONS } from './regions';
import { type DeliveryConfig, deliverySchema, type WaveConfig } from './schema';
import { pauseOf, targetsOf } from './waves';

/**
 * Checks a configuration and fills in its defaults.
 *
 * @param raw the value of the context key `delivery`
 * @throws LayersError `InvalidConfiguration`, with every problem in one message
 */
export function parseConfig(raw: unknown): DeliveryConfig {
  const parsed = deliverySchema.safeParse(raw);
  if (!parsed.success) throw invalid(problemsOf(parsed.error.issues, raw, 'delivery'));
  const problems = crossChecks(parsed.data);
  if (problems.length > 0) throw invalid(problems);
  return parsed.data;
}

function invalid(problems: Problem[]): LayersError {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const lines = problems.map(({ field, message }) => `  - ${field}: ${message}`);
  return new LayersError(
    'InvalidConfiguration',
    `configuration has ${count}:\n${lines.join('\n')}`,
  );
}

function crossChecks(config: DeliveryConfig): Problem[] {
  return [
    ...duplicates(config.runtimes.map(({ name }) => name)).map(([index, name]) => ({
      field: `delivery.runtimes.${index}.name`,
      message: `"${name}" stands twice; put its versions in one list`,
    })),
    ...config.runtimes.flatMap((runtime, index) => [
      ...twice(`runtimes.${index}.versions`, runtime.versions),
      ...twice(`runtimes.${index}.architectures`, runtime.architectures),
    ]),
    ...duplicates(config.waves.map(({ name }) => name)).map(([index, name]) => ({
      field: `delivery.waves.${index}.name`,
      message: `"${name}" stands twice; give every wave a name of its own`,
    })),
    ...twice('sharing.accounts', config.sharing.with === 'accounts' ? config.sharing.accounts : []),
    ...twice(
      'notifications.emails',
      config.notifications?.emails.map((email) => email.toLowerCase()) ?? [],
    ),
    ...config.waves.flatMap(({ accounts, regions }, index) => [
      ...twice(`waves.${index}.accounts`, accounts),
      ...twice(`waves.${index}.regions`, regions),
    ]),
    ...regionProblems(config),
    ...sourceProblems(config),
    ...targetProblems(config),
    ...(config.monitoring && !config.notifications
      ? [
          {
            field: 'delivery.monitoring',
            message: 'tells the topic of delivery.notifications; add "notifications": {}',
          },
        ]
      : []),
  ];
}

function regionProblems(config: DeliveryConfig): Problem[] {
  const partition = partitionOf(config.home.region);
  const problems: Problem[] = [];
  if (!REGIONS.get(config.home.region)?.codePipeline) {
    problems.push({
      field: 'delivery.home.region',
      message: `"${config.home.region}" has no CodePipeline; choose another region to run the pipeline in`,
    });
  }
  config.waves.forEach((wave, index) => {
    wave.regions.forEach((region, at) => {
      const field = `delivery.waves.${index}.regions.${at}`;
      const facts = REGIONS.get(region);
      if (facts?.partition !== partition) {
        problems.push({
          field,
          message: `"${region}" belongs to partition ${facts?.partition}, the home region to ${partition}; give that partition a pipeline of its own`,
        });
      }
    });
  });
  return problems;
}

/** Pushes come through a connection, or from CodeCommit where there is none. */
function sourceProblems({ source, home }: DeliveryConfig): Problem[] {
  const { connectionArn, repository, paths } = source;
  const hasOwner = repository.includes('/');
  const problems: Problem[] = [];
  const add = (field: string, message: string) =>
    problems.push({ field: `delivery.${field}`, message });
  if (connectionArn === undefined) {
    if (hasOwner) {
      add(
        'source.connectionArn',
        `is missing; add it, or write a CodeCommit repository of home, without an owner, in place of "${repository}"`,
      );
    }
    if (paths.include.length + paths.exclude.length > 0) {
      add('source.paths', 'is not for CodeCommit, which has no path filters; remove it');
    }
    return problems;
  }
  const partition = partitionOf(home.region);
  const facts = REGIONS.get(home.region);
  if (facts?.codePipeline && !facts.connections) {
    const [there] =
      [...REGIONS].find(([, other]) => other.partition === partition && other.connections) ?? [];
    add(
      'home.region',
      `"${home.region}" has no connections to GitHub; ${there ? `run the pipeline in another region (${there}), or ` : ''}use a CodeCommit repository, without source.connectionArn`,
    );
    return problems;
  }
  if (!hasOwner) add('source.repository', `"${repository}" is not a repository; write owner/name`);
  const [, other, service, , owner] = connectionArn.split(':');
  if (other !== partition) {
    add(
      'source.connectionArn',
      `"${connectionArn}" belongs to partition ${other}, the home region to ${partition}; create a connection there`,
    );
  }
  // AWS shares connections of the new name alone
  // (https://docs.aws.amazon.com/dtconsole/latest/userguide/connections-share.html).
  if (service === 'codestar-connections' && owner !== home.account) {
    add(
      'source.connectionArn',
      `"${connectionArn}" belongs to account ${owner}, which cannot share it with the home account ${home.account}; create a connection there`,
    );
  }
  return problems;
}

function targetProblems(config: DeliveryConfig): Problem[] {
  const problems: Problem[] = [];
  const seen = new Map<string, string>();
  config.waves.forEach((wave, index) => {
    for (const { account, region } of targetsOf(wave)) {
      const target = `${account}/${region}`;
      const other = seen.get(target);
      if (other !== undefined && other !== wave.name) {
        problems.push({
          field: `delivery.waves.${index}`,
          message: `target ${target} stands in wave "${other}" and in wave "${wave.name}"; keep it in one`,
        });
      }
      seen.set(target, wave.name);
    }
    problems.push(...canaryProblems(wave, `delivery.waves.${index}.canary`));
    wave.paused.forEach((paused, at) => {
      const accounts = paused.account ? [paused.account] : wave.accounts;
      if (
        !wave.regions.includes(paused.region) ||
        !accounts.every((id) => wave.accounts.includes(id))
      ) {
        problems.push({
          field: `delivery.waves.${index}.paused.${at}`,
          message: `${[paused.account, paused.region].filter(Boolean).join('/')} is not a target of wave "${wave.name}"; remove it or correct it`,
        });
      }
    });
  });
  return problems;
}

function canaryProblems(wave: WaveConfig, field: string): Problem[] {
  if (!wave.canary) return [];
  const { account = wave.accounts[0], region } = wave.canary;
  const target = `${account}/${region}`;
  if (!wave.accounts.includes(account) || !wave.regions.includes(region)) {
    return [
      { field, message: `${target} is not a target of wave "${wave.name}"; name one that is` },
    ];
  }
  return pauseOf(wave, { account, region })
    ? [{ field, message: `${target} is paused; name another target, or resume this one` }]
    : [];
}

function twice(field: string, values: readonly string[]): Problem[] {
  return duplicates(values).map(([index, value]) => ({
    field: `delivery.${field}.${index}`,
    message: `"${value}" stands twice; remove one`,
  }));
}

/** Second and later occurrences, with their index. */
function duplicates(values: readonly string[]): [number, string][] {
  return values.flatMap((value, index): [number, string][] =>
    values.indexOf(value) < index ? [[index, value]] : [],
  );
}
