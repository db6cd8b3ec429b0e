import type { ActionDefinition, PipelineDefinition, PushFilter } from './definition';
import { matchesAny } from './glob';
import type { Commit } from './model';

type Patterns = PushFilter['Branches'];

/** Source actions that a push starts, by name: what CodePipeline's triggers, or change detection, say. */
export function sourcesStartedBy(definition: PipelineDefinition, commit: Commit): string[] {
  return sourceActions(definition)
    .filter((action) => isRepository(action, commit) && isStarted(definition, action, commit))
    .map((action) => action.Name);
}

/** Newest commit that a source action fetches by itself: of its repository and branch. */
export function headOf(action: ActionDefinition, commits: readonly Commit[]): Commit | undefined {
  return commits.findLast(
    (commit) => isRepository(action, commit) && commit.branch === action.Configuration.BranchName,
  );
}

export function sourceActions(definition: PipelineDefinition): ActionDefinition[] {
  return definition.Stages.flatMap((stage) => stage.Actions).filter(
    (action) => action.ActionTypeId.Category === 'Source',
  );
}

function isRepository(action: ActionDefinition, { repository }: Commit): boolean {
  return repository === undefined || repository === repositoryOf(action.Configuration);
}

/** `owner/name` of a connection's repository, or the name of CodeCommit's. */
export function repositoryOf(configuration: ActionDefinition['Configuration']): string | undefined {
  return configuration.FullRepositoryId ?? configuration.RepositoryName;
}

function isStarted(
  definition: PipelineDefinition,
  action: ActionDefinition,
  commit: Commit,
): boolean {
  const triggers = definition.Triggers.map((trigger) => trigger.GitConfiguration).filter(
    (configuration) => configuration.SourceActionName === action.Name,
  );
  if (triggers.length > 0) {
    const filters = triggers.flatMap((configuration) => configuration.Push ?? []);
    return filters.some((filter) => passes(filter, commit));
  }
  const { BranchName, DetectChanges } = action.Configuration;
  return DetectChanges !== 'false' && commit.branch === BranchName;
}

/** A filter on tags alone never matches a push to a branch. */
function passes({ Branches, FilePaths, Tags }: PushFilter, commit: Commit): boolean {
  if (Tags && !Branches) return false;
  if (!isIncluded(commit.branch, Branches)) return false;
  const { changedFiles } = commit;
  return !changedFiles || changedFiles.some((file) => isIncluded(file, FilePaths));
}

/** Excludes win over includes, as CodePipeline documents. */
function isIncluded(value: string, patterns: Patterns): boolean {
  if (matchesAny(value, patterns?.Excludes ?? [])) return false;
  return !patterns?.Includes || matchesAny(value, patterns.Includes);
}
