import { execFileSync } from 'node:child_process';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import { REGIONS, type RegionFacts } from '../../lib/config';
import { ensurePython } from '../../lib/rehearsal/tools/python';

const names = (has: (facts: RegionFacts) => boolean) =>
  [...REGIONS.entries()]
    .filter(([, facts]) => has(facts))
    .map(([name]) => name)
    .sort();

/** Regions of each service in the partitions of the table, as the rehearsal's botocore has them. */
const QUESTION = `
import botocore.loaders, json, re
loader = botocore.loaders.Loader()
partitions = loader.load_data('endpoints')['partitions']
services = ['lambda', 'ssm', 'codepipeline', 'codebuild', 'codestar-connections', 'codecommit']
fleet = loader.load_service_model('codebuild', 'service-2')['shapes']['Fleet']['members']
graviton = re.search('ARM_CONTAINER</code> is available only in regions (.*?)</p>',
    fleet['environmentType']['documentation'])[1].replace('ã', 'a')
places = re.findall(r'\\((.*?)\\)', graviton)
offered = {
    partition['partition']: {
        service: sorted(
            region for region in partition['services'].get(service, {}).get('endpoints', {})
            if region in partition['regions']
        )
        for service in services
    }
    for partition in partitions
    if partition['partition'] in ('aws', 'aws-us-gov', 'aws-cn')
}
graviton = [
    region for region, facts in partitions[0]['regions'].items()
    if any('(' + place + ')' in facts['description'] for place in places)
]
print(json.dumps({'partitions': offered, 'graviton': graviton}))
`;

type Service =
  | 'lambda'
  | 'ssm'
  | 'codepipeline'
  | 'codebuild'
  | 'codestar-connections'
  | 'codecommit';

describe('the table of regions, against botocore', () => {
  let partitions: Record<RegionFacts['partition'], Record<Service, string[]>>;
  let graviton: string[];
  const regionsWith = (service: Service) =>
    Object.values(partitions)
      .flatMap((services) => services[service])
      .sort();

  beforeAll(async () => {
    const venv = await ensurePython(() => {});
    ({ partitions, graviton } = JSON.parse(
      execFileSync(`${venv}/bin/python`, ['-I', '-c', QUESTION], { encoding: 'utf8' }),
    ));
  }, 600_000);

  test('has every region of Lambda, each in its partition, and no other', () => {
    for (const partition of ['aws', 'aws-us-gov', 'aws-cn'] as const) {
      expect(names((facts) => facts.partition === partition)).toEqual(partitions[partition].lambda);
    }
    expect(regionsWith('ssm')).toEqual(regionsWith('lambda'));
    expect(partitions.aws.lambda).toHaveLength(34);
  });

  test('claims CodePipeline nowhere that botocore does not, and differs where it says so', () => {
    const ours = names(({ codePipeline }) => codePipeline);
    const theirs = regionsWith('codepipeline');
    expect(ours.filter((name) => !theirs.includes(name))).toEqual([]);
    expect(theirs.filter((name) => !ours.includes(name))).toEqual(['ap-southeast-6']);
  });

  test('has connections where botocore has them', () => {
    expect(names(({ connections }) => connections)).toEqual(regionsWith('codestar-connections'));
  });

  test('claims builds on Graviton nowhere that botocore does not, and differs where it says so', () => {
    const ours = names(({ gravitonBuilds }) => gravitonBuilds);
    expect(ours.filter((name) => !graviton.includes(name))).toEqual([]);
    expect(graviton.filter((name) => !ours.includes(name)).sort()).toEqual([
      'ap-southeast-1',
      'sa-east-1',
    ]);
  });

  test('has CodeBuild wherever a pipeline can be, and CodeCommit in GovCloud and China', () => {
    expect(regionsWith('codebuild')).toEqual(
      expect.arrayContaining(names(({ codePipeline }) => codePipeline)),
    );
    expect(regionsWith('codecommit')).toEqual(
      expect.arrayContaining(names(({ partition }) => partition !== 'aws')),
    );
  });
});

test("the table of regions has partition and opt-in as CDK's region-info has them", () => {
  const facts = (name: string) => {
    const { partition, isOptInRegion } = RegionInfo.get(name);
    return { name, partition, optIn: isOptInRegion };
  };
  expect([...REGIONS].map(([name, { partition, optIn }]) => ({ name, partition, optIn }))).toEqual(
    [...REGIONS.keys()].map(facts),
  );
});
