import { LayersError } from '../../../errors';
import { repositoryOf } from '../triggers';
import type { ActionContext, ActionProvider, ActionResult } from './provider';

/**
 * `CodeStarSourceConnection` and `CodeCommit`: the commit that was pushed to the engine becomes the
 * output artifact. Output variables as in the CodePipeline user guide, "CodeStarSourceConnection
 * action reference" and "CodeCommit source action reference".
 */
export class RepositorySource implements ActionProvider {
  async run(context: ActionContext): Promise<ActionResult> {
    const { action, artifacts, commit, configuration, region } = context;
    const repository = repositoryOf(configuration);
    if (!commit) {
      throw new LayersError(
        'NoCommit',
        `no commit of ${repository}, branch ${configuration.BranchName}, was pushed; push one first`,
      );
    }
    context.begun();
    const outputs = [];
    for (const { Name } of action.OutputArtifacts) {
      const location = artifacts.newLocation(Name, region);
      await artifacts.upload(context.actionRole, region, location, commit.zipPath);
      context.log.line(`${commit.zipPath} > s3://${location.bucket}/${location.key}`);
      outputs.push({
        name: Name,
        locations: new Map([[region, location]]),
        revision: commit.commitId,
      });
    }
    return {
      message: `${commit.commitId.slice(0, 8)} ${commit.message.split('\n')[0]}`,
      outputs,
      outputVariables: {
        AuthorDate: commit.authorDate ?? new Date().toISOString(),
        BranchName: commit.branch,
        CommitId: commit.commitId,
        CommitMessage: commit.message,
        ...(configuration.ConnectionArn
          ? { ConnectionArn: configuration.ConnectionArn, FullRepositoryName: repository as string }
          : { RepositoryName: repository as string }),
      },
      sourceRevision: {
        actionName: action.Name,
        revisionId: commit.commitId,
        revisionSummary: configuration.ConnectionArn
          ? JSON.stringify({ ProviderType: 'GitHub', CommitMessage: commit.message })
          : commit.message,
      },
    };
  }
}
