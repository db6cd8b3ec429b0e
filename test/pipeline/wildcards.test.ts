import { allStatements, type Statement } from './statements';

/**
 * What cdk-nag leaves open: it acknowledges actions and resources one by one, so an acknowledged
 * `*` admits any further action; and it does not look at policies of buckets, keys and topics.
 */
describe('wildcards in the policies of all templates', () => {
  const grants = allStatements().filter(({ statement }) => statement.Effect === 'Allow');

  test('are these statements, each for the reason that is given', () => {
    const found = grants
      .map(({ owner, statement }) => ({ owner, ...wildcardsOf(statement) }))
      .filter(({ actions, all }) => actions.length > 0 || all.length > 0)
      .map(({ owner, actions, all }) => [owner, ...all, ...actions].join(' '));
    expect([...new Set(found)].sort()).toEqual(Object.keys(REASONS).sort());
  });

  test('grant nothing by exception', () => {
    const inverted = grants.filter(
      ({ statement: { NotAction, NotResource, NotPrincipal } }) =>
        NotAction ?? NotResource ?? NotPrincipal,
    );
    expect(inverted).toEqual([]);
  });
});

function wildcardsOf({ Action, Resource, Principal }: Statement) {
  const everything = [Resource].flat().includes('*') ? ['on *'] : [];
  // On everything, each action counts.
  const actions = [Action ?? []]
    .flat()
    .filter((action) => everything.length > 0 || action.includes('*'));
  const everybody = /"\*"/.test(JSON.stringify(Principal ?? '')) ? ['to *'] : [];
  return { actions: actions.sort(), all: [...everything, ...everybody] };
}

const OWN_KEY = 'in a key policy, * is the key itself';
const BY_PREFIX =
  "CDK's grant of the artifacts, by prefix: on the one bucket, lib/pipeline/acknowledgements.ts";
const OWNER = 'delegates to the policies of the account, as CDK and the KMS guide do';
const KEY_USE = 'kms:Decrypt kms:DescribeKey kms:Encrypt kms:GenerateDataKey* kms:ReEncrypt*';
const REPLICA = 'CrossRegionCodePipelineReplicationBucket';

const REASONS: Readonly<Record<string, string>> = {
  'delivery ArtifactKey on * kms:*': `${OWN_KEY}; ${OWNER}`,
  'delivery ArtifactKey on * kms:Decrypt kms:DescribeKey': `${OWN_KEY}; deploy roles read artifacts`,
  'delivery ArtifactsPolicy s3:GetBucket* s3:GetObject* s3:List*': `${BY_PREFIX}; to deploy roles`,
  'delivery NotificationsKey on * kms:*': `${OWN_KEY}; ${OWNER}`,
  'delivery NotificationsKey on * kms:Decrypt kms:GenerateDataKey': `${OWN_KEY}; alarms are told`,
  'delivery NotificationsKey on * kms:Decrypt kms:GenerateDataKey*': `${OWN_KEY}; events are told`,
  [`delivery PipelineRole on * ${KEY_USE}`]:
    'keys of the artifact replicas, in other stacks, whose policies name this role',
  'delivery PipelineRole s3:Abort* s3:DeleteObject* s3:GetBucket* s3:GetObject* s3:List*':
    BY_PREFIX,
  'delivery PipelineUpdatePipelineSelfMutationRole kms:GenerateDataKey* kms:ReEncrypt*':
    "CDK's grant of the artifact key, by prefix",
  'delivery PipelineUpdatePipelineSelfMutationRole on * cloudformation:DescribeStacks s3:ListBucket':
    'reads only; CDK grants it before it knows the bootstrap stack',
  'delivery PipelineUpdatePipelineSelfMutationRole s3:GetBucket* s3:GetObject* s3:List*': BY_PREFIX,
  [`support ${REPLICA}EncryptionKey on * kms:*`]: `${OWN_KEY}; ${OWNER}`,
  [`support ${REPLICA}EncryptionKey on * ${KEY_USE}`]: `${OWN_KEY}; the pipeline's role writes`,
  [`support ${REPLICA}EncryptionKey on * kms:Decrypt kms:DescribeKey`]: `${OWN_KEY}; deploy roles read`,
  [`support ${REPLICA}Policy s3:GetBucket* s3:GetObject* s3:List*`]: `${BY_PREFIX}; to deploy roles`,
};
