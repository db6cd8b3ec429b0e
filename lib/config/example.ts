import type { DeliveryConfig } from './schema';

/** Accounts of the shipped cdk.json: the rehearsal runs with them, AWS must not. */
export const EXAMPLE_ACCOUNTS: readonly string[] = ['111111111111', '222222222222', '333333333333'];

/** Repository of the shipped cdk.json. */
const EXAMPLE_REPOSITORY = 'example/lambda-runtime-layers';

/** Set in everything that a rehearsal runs. */
export const REHEARSAL_VARIABLE = 'LAYERS_REHEARSAL';

/**
 * What still stands in the configuration from the shipped example, one sentence a field.
 * Empty in a rehearsal, which has these accounts.
 */
export function exampleValues(config: DeliveryConfig, environment = process.env): string[] {
  if (environment[REHEARSAL_VARIABLE] === '1') return [];
  const found: string[] = [];
  const check = (field: string, account: string, cure: string) => {
    if (EXAMPLE_ACCOUNTS.includes(account)) {
      found.push(`${field}: ${account} is the example's account; put ${cure} there`);
    }
  };
  check(
    'delivery.home.account',
    config.home.account,
    'the id of the account that runs the pipeline',
  );
  check(
    'delivery.source.connectionArn',
    config.source.connectionArn?.split(':')[4] ?? '',
    'the ARN of your own GitHub connection',
  );
  if (config.source.repository === EXAMPLE_REPOSITORY) {
    found.push(
      `delivery.source.repository: ${EXAMPLE_REPOSITORY} is the example's repository; put your own there`,
    );
  }
  config.waves.forEach((wave, index) => {
    wave.accounts.forEach((account, at) => {
      check(
        `delivery.waves.${index}.accounts.${at}`,
        account,
        'the id of an account that receives layers',
      );
    });
  });
  return found;
}
