import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { type CloudFormationStackArtifact, UNKNOWN_REGION } from 'aws-cdk-lib/cx-api';
import { context } from '../../cdk.json';
import { REGIONS } from '../../lib/config';
import { DeliveryPipelineStack } from '../../lib/pipeline';
import { pythonEnvironment } from '../../lib/rehearsal/tools/python';
import { planOf, rawConfig } from './fixture';
import { stacksOf } from './template-limits';

const MINUTES = 60_000;

/** Rules that speak of how CDK writes templates, with what they would have us change. */
const NOT_OURS = {
  E3703: 'Fn::Join where Fn::Sub would do: CDK joins tokens into text by Fn::Join',
  W3005: 'DependsOn beside a reference: CDK depends on a role and its policies together',
};

const COMMERCIAL = [...REGIONS].flatMap(([region, { partition }]) =>
  partition === 'aws' ? [region] : [],
);

/** The pipeline's own, and those with a replica of its artifacts. */
const OF_ONE_REGION = ['us-east-1', 'eu-west-1', 'af-south-1', 'ap-southeast-5'];

let dir: string;
let lint: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'layers-cfn-lint-'));
  const env = pythonEnvironment();
  execFileSync('python3', ['-m', 'venv', join(dir, 'venv')], { env });
  execFileSync(
    join(dir, 'venv/bin/python'),
    [
      '-m',
      'pip',
      'install',
      '-q',
      '--no-deps',
      '--require-hashes',
      '-r',
      join(__dirname, 'cfn-lint.txt'),
    ],
    { env, stdio: ['ignore', 'inherit', 'pipe'] },
  );
  lint = join(dir, 'venv/bin/cfn-lint');
}, 5 * MINUTES);

afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Every template of a configuration that uses what there is to use. */
function templates(): CloudFormationStackArtifact[] {
  const raw = rawConfig();
  raw.notifications = { emails: ['ops@example.com'] };
  raw.monitoring = { dashboard: true };
  raw.schedule = 'cron(0 6 ? * MON *)';
  raw.waves[0].regions.push('af-south-1', 'ap-southeast-5', 'ca-west-1');
  raw.waves[1].canary = { region: 'eu-west-1' };
  const app = new App({ context, outdir: join(dir, 'cdk.out') });
  new DeliveryPipelineStack(app, 'Delivery', { plan: planOf(raw) });
  return stacksOf(app.synth());
}

/** What cfn-lint says of templates for regions; empty when it finds nothing. */
function findings(regions: readonly string[], files: readonly string[]): string {
  const { stdout, stderr } = spawnSync(
    lint,
    ['--regions', ...regions, '--ignore-checks', ...Object.keys(NOT_OURS), '-t', ...files],
    { encoding: 'utf8', env: pythonEnvironment() },
  );
  return `${stdout}${stderr}`.trim();
}

test(
  'cfn-lint finds nothing in any template, each taken for every region that it can go to',
  () => {
    const stacks = templates();
    const filesIn = (region: string) =>
      stacks
        .filter(({ environment }) => environment.region === region)
        .map(({ templateFullPath }) => templateFullPath);
    const places = [...new Set(stacks.map(({ environment }) => environment.region))];
    expect(places.sort()).toEqual([...OF_ONE_REGION, UNKNOWN_REGION].sort());
    // Two stacks of each of the two waves, for whatever region.
    expect(filesIn(UNKNOWN_REGION)).toHaveLength(4);
    for (const place of places) {
      const regions = place === UNKNOWN_REGION ? COMMERCIAL : [place];
      expect({ place, findings: findings(regions, filesIn(place)) }).toEqual({
        place,
        findings: '',
      });
    }
  },
  10 * MINUTES,
);

test('cfn-lint finds a property that does not exist', () => {
  const file = join(dir, 'broken.template.json');
  writeFileSync(
    file,
    JSON.stringify({
      Resources: { Layer: { Type: 'AWS::Lambda::LayerVersion', Properties: { Size: 1 } } },
    }),
  );
  expect(findings(['eu-west-1'], [file])).toContain('E3002');
});

/** Regions of the table's partitions, each with the resource types of interest that it lacks. */
const LACKING = `
import json
from cfnlint.helpers import REGIONS
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER as schemas
types = ['AWS::Lambda::LayerVersion', 'AWS::SSM::Parameter', 'AWS::CodePipeline::Pipeline',
         'AWS::CodeBuild::Project', 'AWS::CodeConnections::Connection']
print(json.dumps({
    region: [name for name in types if name not in schemas.get_resource_types(region)]
    for region in REGIONS if 'iso' not in region and not region.startswith('eusc')
}))
`;

test('cfn-lint knows the regions of the table, with layers, parameters and pipelines in each', () => {
  const lacking: Record<string, string[]> = JSON.parse(
    execFileSync(join(dir, 'venv/bin/python'), ['-c', LACKING], {
      encoding: 'utf8',
      env: pythonEnvironment(),
    }),
  );
  expect(Object.keys(lacking).sort()).toEqual([...REGIONS.keys()].sort());
  const without = (type: string) =>
    Object.keys(lacking).filter((region) => lacking[region].includes(type));
  expect(without('AWS::Lambda::LayerVersion')).toEqual([]);
  expect(without('AWS::SSM::Parameter')).toEqual([]);
  for (const [region, { codePipeline, connections }] of REGIONS) {
    if (codePipeline) {
      expect({ region, lacking: lacking[region] }).toEqual({
        region,
        lacking: connections ? [] : lacking[region].filter((type) => type.endsWith('Connection')),
      });
    }
  }
  // The resource types of these two are registered, botocore and the user guide have no service.
  expect(
    [...REGIONS].flatMap(([region, { connections }]) =>
      !connections && !lacking[region].includes('AWS::CodeConnections::Connection') ? [region] : [],
    ),
  ).toEqual(['me-south-1', 'us-gov-west-1']);
});
