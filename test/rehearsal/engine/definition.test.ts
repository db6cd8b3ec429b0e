import { parseDefinition } from '../../../lib/rehearsal/engine/definition';
import { globToRegExp } from '../../../lib/rehearsal/engine/glob';
import { sourcesStartedBy } from '../../../lib/rehearsal/engine/triggers';
import { action, properties } from './fixture';

const parse = (stages: readonly unknown[], rest = {}) =>
  parseDefinition('delivery', 'eu-west-1', properties(stages, rest));
const build = (rest = {}) => ({ Name: 'Build', Actions: [action('a', 'CodeBuild', rest)] });

test('reads numbers and booleans that CloudFormation wrote as text', () => {
  const definition = parse([build({ RunOrder: '3' })], { RestartExecutionOnUpdate: 'true' });
  expect(definition.Stages[1]?.Actions[0]?.RunOrder).toBe(3);
  expect(definition.RestartExecutionOnUpdate).toBe(true);
});

test('a push to a CodeCommit repository and its branch starts the pipeline', () => {
  const source = {
    Name: 'Source',
    Actions: [
      {
        Name: 'Source',
        ActionTypeId: { Category: 'Source', Owner: 'AWS', Provider: 'CodeCommit', Version: '1' },
        Configuration: {
          RepositoryName: 'layers',
          BranchName: 'main',
          PollForSourceChanges: 'false',
        },
        OutputArtifacts: [{ Name: 'Code' }],
      },
    ],
  };
  const definition = parse([build()], { Stages: [source, build()] });
  const started = (repository: string, branch: string) =>
    sourcesStartedBy(definition, {
      zipPath: '/commit.zip',
      commitId: 'c0ffee',
      message: 'First',
      branch,
      repository,
    });
  expect(started('layers', 'main')).toEqual(['Source']);
  expect(started('layers', 'next')).toEqual([]);
  expect(started('other', 'main')).toEqual([]);
});

test('fails on everything that is wrong, in one message', () => {
  const stages = [
    {
      Name: 'Build',
      Actions: [
        {
          ...action('a', 'CodeBuild'),
          ActionTypeId: { Category: 'Build', Owner: 'AWS', Provider: 'Jenkins', Version: '1' },
        },
        action('b', 'CodeBuild', {
          Configuration: { ProjectName: '' },
          InputArtifacts: [{ Name: 'Nobody' }],
        }),
        action('c', 'CloudFormation', {
          Region: 'us-east-1',
          Configuration: { ActionMode: 'GUESS' },
        }),
        action('d', 'Manual', { Configuration: { CustomData: '#{Later.Value}' } }),
      ],
    },
  ];
  const fail = () => parse(stages);
  expect(fail).toThrow(/Build\.a: provider Build\/Jenkins is not supported/);
  expect(fail).toThrow(/Build\.b: Configuration\.ProjectName/);
  expect(fail).toThrow(/Build\.b: input artifact Nobody/);
  expect(fail).toThrow(/Build\.c: Configuration\.ActionMode/);
  expect(fail).toThrow(/Build\.c: no artifact store in region us-east-1/);
  expect(fail).toThrow(/Build\.d: variable namespace Later/);
});

test('fails on an input that only an action beside it writes', () => {
  const stage = {
    Name: 'Build',
    Actions: [
      action('a', 'CodeBuild', { OutputArtifacts: [{ Name: 'Out' }] }),
      action('b', 'CodeBuild', { InputArtifacts: [{ Name: 'Out' }] }),
    ],
  };
  expect(() => parse([stage])).toThrow(/Build\.b: input artifact Out/);
});

test('fails on a longer value than CodePipeline takes', () => {
  const approval = (CustomData: string) => ({
    Name: 'Approval',
    Actions: [action('a', 'Manual', { Configuration: { CustomData } })],
  });
  expect(() => parse([approval('x'.repeat(1000))])).not.toThrow();
  expect(() => parse([approval('x'.repeat(1001))])).toThrow(
    /Approval\.a: Configuration\.CustomData: has 1001/,
  );
});

test('fails on a 51st action in a stage', () => {
  const Actions = Array.from({ length: 51 }, (_, index) => action(`a${index}`, 'CodeBuild'));
  expect(() => parse([{ Name: 'Build', Actions }])).toThrow(/at most 50 actions/);
});

test.each([
  ['**/*', 'a', true],
  ['**/*', 'a/b/c', true],
  ['*.md', 'docs/a.md', false],
  ['docs/**', 'docs/a/b.md', true],
  ['a/**/z', 'a/z', true],
  ['{lib,bin}/*.ts', 'bin/app.ts', true],
  ['a.c', 'abc', false],
])('pattern %s on %s: %s', (pattern, path, matches) => {
  expect(globToRegExp(pattern).test(path)).toBe(matches);
});
