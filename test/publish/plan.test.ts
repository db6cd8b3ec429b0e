import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseReleasePlan, readReleasePlan } from '../../lib/release';
import { HOME, plan } from './fixture';

const release = plan([[HOME, 'eu-west-1']]);
const [target] = release.targets;

test('reads a plan as it was written', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'layers-plan-test-'));
  try {
    const file = join(dir, 'release.json');
    await writeFile(file, JSON.stringify(release));
    expect(await readReleasePlan(file)).toEqual(release);
    await writeFile(file, JSON.stringify(release).slice(0, -1));
    await expect(readReleasePlan(file)).rejects.toMatchObject({ code: 'PlanInvalid' });
  } finally {
    await rm(dir, { recursive: true });
  }
});

test('fails naming the file that is not there', async () => {
  await expect(readReleasePlan('/nowhere/release.json')).rejects.toMatchObject({
    code: 'PlanNotFound',
    message: expect.stringContaining('"/nowhere/release.json" cannot be read (ENOENT)'),
  });
});

test('fails with all errors in one message', () => {
  const broken = {
    ...release,
    layers: [{ ...release.layers[0], architecture: 'aarch64' }, release.layers[1]],
    targets: [{ ...target, account: '123', publishRoleArn: 'role' }],
  };
  expect(() => parseReleasePlan(broken, 'release.json')).toThrow(
    expect.objectContaining({
      code: 'PlanInvalid',
      message: expect.stringMatching(
        /layers\.0\.architecture: [\s\S]*targets\.0\.account: must be 12 digits[\s\S]*targets\.0\.publishRoleArn: /,
      ),
    }),
  );
});

test('fails when a target has a layer that the plan lacks', () => {
  const broken = { ...release, layers: release.layers.slice(0, 1) };
  expect(() => parseReleasePlan(broken, 'release.json')).toThrow(
    `targets.0.layers.1.name: "${release.layers[1].name}" is none of the plan's layers`,
  );
});

test('fails when an ARN is another target’s or another version’s', () => {
  const [layer] = target.layers;
  for (const arn of [layer.arn.replace('eu-west-1', 'eu-west-2'), layer.arn.replace(/1$/, '2')]) {
    const broken = { ...release, targets: [{ ...target, layers: [{ ...layer, arn }] }] };
    expect(() => parseReleasePlan(broken, 'release.json')).toThrow(`"${arn}" must be ${layer.arn}`);
  }
});
