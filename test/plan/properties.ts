import fc from 'fast-check';
import { parseConfig } from '../../lib/config';
import { LayersError } from '../../lib/errors';
import {
  type DeliveryPlan,
  locate,
  planDelivery,
  planParameters,
  planStages,
  type StagePlan,
} from '../../lib/plan';
import { fakeExamples, fakeLayers, type rawConfig } from '../pipeline/fixture';
import { configurations, wrongValues } from './configurations';

const place = ({ account, region }: { account: string; region: string }) => `${account}/${region}`;

/** The plan of a configuration, or the message that refuses it. */
export function planOrRefusal(raw: unknown): DeliveryPlan | string {
  try {
    const config = parseConfig(raw);
    return planDelivery(config, fakeLayers(config), fakeExamples(config));
  } catch (error) {
    if (error instanceof LayersError) return error.message;
    throw error;
  }
}

/** Field, value and cure: `delivery.<field> … ; what to do`, in each line of a list. */
export function expectClear(refusal: string): void {
  const lines = refusal.split('\n');
  for (const line of lines.length > 1 ? lines.slice(1) : lines) {
    expect(line).toMatch(/delivery\.\w+|runtime\.json/);
    expect(line).toMatch(/; \S|is missing; add it|did you mean|is empty; /);
  }
}

/** Everything that CodePipeline and the promises ask of a plan; its own arithmetic is not used. */
export function expectSound(plan: DeliveryPlan): void {
  const stages = planStages(plan);
  expect(stages.length).toBeLessThanOrEqual(50);
  expectUnique(stages.map(({ name }) => name));
  for (const { name, actions } of stages) {
    expect(name).toMatch(/^[A-Za-z0-9.@_-]{1,100}$/);
    expect(actions.length).toBeGreaterThan(0);
    expect(actions.length).toBeLessThanOrEqual(45);
    expectUnique(actions.map((action) => action.name));
    for (const action of actions) expect(action.name).toMatch(/^[A-Za-z0-9.@_-]{1,100}$/);
    expectOneRunOrder(actions.filter(({ kind }) => /publish|release/.test(kind)));
  }
  for (const wave of plan.waves) expectAllOrNothing(wave, stages);
  // Targets differ in nothing but the length of the region's name.
  const longest = plan.waves.flatMap(({ targets }) =>
    [...targets].sort((a, b) => b.region.length - a.region.length).slice(0, 1),
  );
  for (const { account, region, layers, partition } of longest) {
    const parameters = planParameters(plan.namespace, locate({ account, region }), plan.layers);
    expect(parameters.length).toBeLessThanOrEqual(500);
    expectUnique(parameters.map(({ name }) => name));
    for (const { value } of parameters) expect(Buffer.byteLength(value)).toBeLessThanOrEqual(4096);
    const policy = {
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'ReadLayers',
          Effect: 'Allow',
          Action: 'lambda:GetLayerVersion',
          Resource: layers.map(({ arn }) => arn),
        },
        {
          Sid: 'RunExamples',
          Effect: 'Allow',
          Action: ['lambda:GetFunctionConfiguration', 'lambda:InvokeFunction'],
          Resource: layers.map(
            ({ functionName }) =>
              `arn:${partition}:lambda:${region}:${account}:function:${functionName}`,
          ),
        },
      ],
    };
    expect(JSON.stringify(policy).length).toBeLessThanOrEqual(10_240);
  }
}

function expectUnique(names: readonly string[]): void {
  expect(new Set(names).size).toBe(names.length);
}

/** A failure of one cannot keep the others of its step from running. */
function expectOneRunOrder(deployments: StagePlan['actions']): void {
  expect(new Set(deployments.map(({ runOrder }) => runOrder)).size).toBeLessThanOrEqual(1);
}

/** Each target is published and released once; the whole wave is tested in between. */
function expectAllOrNothing(wave: DeliveryPlan['waves'][number], stages: StagePlan[]): void {
  const order = stages.flatMap(({ name, actions }, stage) =>
    actions
      .filter(({ targets = [] }) => targets.some((target) => target.wave === wave.name))
      .map((action) => ({ ...action, stage: name, at: stage * 1000 + action.runOrder })),
  );
  const of = (kind: string) =>
    order.filter((action) => action.kind === kind || action.kind === `remote-${kind}`);
  const placesOf = (kind: string) =>
    of(kind)
      .flatMap(({ targets = [] }) => targets.map(place))
      .sort();
  const expected = wave.targets.map(place).sort();
  expect(placesOf('publish')).toEqual(expected);
  expect(placesOf('release')).toEqual(expected);
  if (wave.targets.length === 0) return;
  const wholeWave = of('smoke').find(({ targets = [] }) => targets.length === expected.length);
  const smokeAt = wholeWave?.at ?? Number.NaN;
  for (const { at } of of('publish')) expect(at).toBeLessThan(smokeAt);
  for (const { at } of of('release')) expect(at).toBeGreaterThan(smokeAt);
  for (const approval of of('approval')) {
    expect(approval.at).toBeLessThan(Math.min(...of('publish').map(({ at }) => at)));
  }
  expect(of('approval')).toHaveLength(wave.approval ? 1 : 0);
  const canarySmoke = of('smoke').find((action) => action !== wholeWave);
  if (!canarySmoke) return;
  const others = of('publish').filter(
    ({ targets = [] }) => place(targets[0]) !== place(canarySmoke.targets?.[0] as never),
  );
  for (const { at } of others) expect(at).toBeGreaterThan(canarySmoke.at);
}

/** Checks `runs` generated configurations; answers how many were planned and how many refused. */
export function checkConfigurations(runs: number): { planned: number; refused: number } {
  const seen = { planned: 0, refused: 0 };
  fc.assert(
    fc.property(configurations, (raw) => {
      const result = planOrRefusal(raw);
      if (typeof result === 'string') {
        seen.refused++;
        expectClear(result);
      } else {
        seen.planned++;
        expectSound(result);
      }
    }),
    { numRuns: runs },
  );
  return seen;
}

/** Checks that a value that is wrong is refused clearly, whatever surrounds it. */
export function checkWrongValues(runs: number): void {
  fc.assert(
    fc.property(configurations, wrongValues, (right, change) => {
      const raw = structuredClone(right) as ReturnType<typeof rawConfig>;
      change(raw);
      const result = planOrRefusal(raw);
      expect(typeof result).toBe('string');
      expectClear(result as string);
    }),
    { numRuns: runs },
  );
}
