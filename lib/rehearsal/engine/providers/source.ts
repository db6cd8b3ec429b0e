import { LayersError } from '../../../errors';
import type { ActionContext, ActionProvider, ActionResult } from './provider';

/**
 * `CodeStarSourceConnection`: the commit that was pushed to the engine becomes the output artifact.
 * Output variables as in the CodePipeline user guide, "CodeStarSourceConnection action reference".
 */
export class ConnectionSource implements ActionProvider {
  async run(context: ActionContext): Promise<ActionResult> {
    const { action, artifacts, commit, configuration, region } = context;
    if (!commit) {
      throw new LayersError(
        'NoCommit',
        `no commit of ${configuration.FullRepositoryId}, branch ${configuration.BranchName}, was pushed; push one first`,
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
        ConnectionArn: configuration.ConnectionArn as string,
        FullRepositoryName: configuration.FullRepositoryId as string,
      },
      sourceRevision: {
        actionName: action.Name,
        revisionId: commit.commitId,
        revisionSummary: JSON.stringify({
          ProviderType: 'GitHub',
          CommitMessage: commit.message,
        }),
      },
    };
  }
}
