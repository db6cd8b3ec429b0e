import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import {
  GetAccountSettingsCommand,
  type GetAccountSettingsCommandOutput,
  LambdaClient,
  ListLayerVersionsCommand,
} from '@aws-sdk/client-lambda';
import {
  DescribeParametersCommand,
  GetParameterCommand,
  GetServiceSettingCommand,
  ParameterNotFound,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, type STSClient } from '@aws-sdk/client-sts';
import {
  bootstrapCure,
  bootstrapUpdate,
  clientConfig,
  explain,
  qualifierOf,
  roleCredentials,
  stsClient,
} from '../aws';
import { LayersError } from '../errors';
import {
  hasCloudFormationAction,
  MAX_PARAMETERS,
  type ParameterPlan,
  planParameters,
  recordName,
} from '../plan';
import type { ReleaseLayer, ReleasePlan, ReleaseTarget } from '../release';
import { TargetStack } from './target-stack';

/** The first version of CDK's bootstrap stack with everything that a target needs: lookup included. */
const BOOTSTRAP_VERSION = 8;

/** Systems Manager's answer for an account that pays for more than the standard parameters. */
const MORE_THAN_STANDARD = /^(Advanced|Intelligent-Tiering)$/;

/** A stack that was never made, or half removed: nothing can update it. */
const NEVER_MADE =
  /^(CREATE_FAILED|ROLLBACK_COMPLETE|ROLLBACK_FAILED|DELETE_FAILED|REVIEW_IN_PROGRESS)$/;

/** An update failed, and so did the way back. */
const HALF_WAY = 'UPDATE_ROLLBACK_FAILED';

/** States in which the CDK CLI makes a stack anew by itself. */
const MADE_ANEW = /^ROLLBACK_(COMPLETE|FAILED)$/;

const REQUEST_TIMEOUT_MS = 30_000;

/** What can be asked of one target before anything is deployed to it. */
export class TargetChecks {
  private readonly lambda: LambdaClient;
  private readonly ssm: SSMClient;
  private readonly cloudFormation: CloudFormationClient;
  private readonly openLookup: () => Promise<unknown>;
  private readonly openPublish: () => Promise<unknown>;
  private readonly publishStack: TargetStack;
  private readonly releaseStack: TargetStack;
  private readonly bootstrap: string;
  private regionIsOff = false;
  private existing: Promise<ReadonlyMap<string, string | undefined>> | undefined;

  /** @param homeAccount account that the target's bootstrap must trust */
  constructor(
    private readonly plan: ReleasePlan,
    private readonly target: ReleaseTarget,
    sts: STSClient,
    private readonly homeAccount: string,
  ) {
    this.bootstrap = bootstrapCure(target, homeAccount);
    const session = (roleArn: string) =>
      roleCredentials(sts, { roleArn, sessionName: 'layers-preflight', cure: this.bootstrap });
    const credentials = session(target.lookupRoleArn);
    this.openLookup = credentials;
    this.openPublish = session(target.publishRoleArn);
    const config = {
      ...clientConfig(REQUEST_TIMEOUT_MS),
      region: target.region,
      credentials,
    };
    this.lambda = new LambdaClient(config);
    this.ssm = new SSMClient(config);
    this.cloudFormation = new CloudFormationClient(config);
    const stack = (name: string) =>
      new TargetStack(this.cloudFormation, name, (error, action) => this.explain(error, action));
    this.publishStack = stack(plan.publishStack);
    this.releaseStack = stack(plan.releaseStack);
  }

  /** Every problem of the target, each with its cure; none when it is ready. */
  async problems(): Promise<string[]> {
    // Two checks may fail on the same request.
    return [...new Set(await this.all())];
  }

  private async all(): Promise<string[]> {
    const lookup = await this.attempt(() => this.trusts(this.openLookup));
    const access = [
      ...(await this.attempt(() => this.trusts(this.openPublish))),
      ...(await this.attempt(() => this.homeReaches())),
    ];
    // Everything else is asked through the first role.
    if (lookup.length > 0) return [...lookup, ...access];
    const code = await this.attempt(() => this.codeFits());
    if (this.regionIsOff) return [...access, ...code];
    return [
      ...access,
      ...(await this.attempt(() => this.bootstrapIsNew())),
      ...code,
      ...(await this.attempt(() => this.versionsRemain())),
      ...(await this.attempt(() => this.parametersFit())),
      ...(await this.attempt(() => this.parametersAreTheStacks())),
      // A CloudFormation action replaces a publish stack that it cannot update.
      ...(hasCloudFormationAction(this.target)
        ? []
        : await this.attempt(() => this.canChange(this.publishStack))),
      ...(await this.attempt(() => this.canChange(this.releaseStack))),
    ];
  }

  close(): void {
    this.lambda.destroy();
    this.ssm.destroy();
    this.cloudFormation.destroy();
  }

  private async trusts(open: () => Promise<unknown>): Promise<string[]> {
    await open();
    return [];
  }

  /**
   * The CDK CLI enters a target through the target's own region, with the home account's
   * credentials.
   */
  private async homeReaches(): Promise<string[]> {
    const { region } = this.target;
    if (hasCloudFormationAction(this.target)) return [];
    const sts = stsClient(region);
    try {
      await sts.send(new GetCallerIdentityCommand({}));
      return [];
    } catch (error) {
      const reason = explain(error, { action: 'sts:GetCallerIdentity', region });
      const { name } = error as Error;
      if (reason.code !== 'RefusedCredentials' && name !== 'RegionDisabledException') throw reason;
      return [
        notEnabled(
          region,
          `the home account ${this.homeAccount}, from which the CDK CLI deploys to it`,
          error,
        ),
      ];
    } finally {
      sts.destroy();
    }
  }

  private async bootstrapIsNew(): Promise<string[]> {
    const Name = `/cdk-bootstrap/${qualifierOf(this.target)}/version`;
    let version: string | undefined;
    try {
      version = (await this.ssm.send(new GetParameterCommand({ Name }))).Parameter?.Value;
    } catch (error) {
      if (!(error instanceof ParameterNotFound)) throw this.explain(error, 'ssm:GetParameter');
    }
    if (Number(version) >= BOOTSTRAP_VERSION) return [];
    return [
      version === undefined
        ? `parameter ${Name} does not exist; ${this.bootstrap}`
        : `bootstrap version is ${version}, at least ${BOOTSTRAP_VERSION} is needed; update it: ${bootstrapUpdate(this.target)}`,
    ];
  }

  /** The first request to the region itself: one that is not enabled knows no credentials. */
  private async accountSettings(): Promise<GetAccountSettingsCommandOutput> {
    const { account, region } = this.target;
    try {
      return await this.lambda.send(new GetAccountSettingsCommand({}));
    } catch (error) {
      const reason = this.explain(error, 'lambda:GetAccountSettings');
      if (reason.code !== 'RefusedCredentials') throw reason;
      this.regionIsOff = true;
      throw new LayersError('RegionNotEnabled', notEnabled(region, `account ${account}`, error), {
        cause: error,
      });
    }
  }

  private async codeFits(): Promise<string[]> {
    const { AccountLimit, AccountUsage } = await this.accountSettings();
    const left = Number(AccountLimit?.TotalCodeSize) - Number(AccountUsage?.TotalCodeSize);
    const zips = this.plan.layers.reduce((sum, { zipBytes }) => sum + zipBytes, 0);
    // Asked only where it is tight: what the publish stack has takes no further storage.
    if (left >= zips) return [];
    const missing = await this.missingLayerBytes();
    if (left >= missing) return [];
    return [
      `Lambda's code storage has ${left} bytes left of ${AccountLimit?.TotalCodeSize}, the release needs ${missing}; delete old function and layer versions, or have the quota "Function and layer storage" raised`,
    ];
  }

  /** Numbers of the versions that each layer has. */
  private async listVersions(): Promise<Map<ReleaseLayer, unknown[]>> {
    const versions = new Map<ReleaseLayer, unknown[]>();
    for (const layer of this.plan.layers) {
      const numbers: unknown[] = [];
      let Marker: string | undefined;
      do {
        const page = await this.send('lambda:ListLayerVersions', () =>
          this.lambda.send(new ListLayerVersionsCommand({ LayerName: layer.name, Marker })),
        );
        numbers.push(...(page.LayerVersions ?? []).map(({ Version }) => Version));
        Marker = page.NextMarker;
      } while (Marker);
      versions.set(layer, numbers);
    }
    return versions;
  }

  /**
   * Of all layers that are no resource of the publish stack: CloudFormation publishes these, even
   * if they have a version 1 that an older or a replaced stack has left.
   */
  private async missingLayerBytes(): Promise<number> {
    const status = await this.publishStack.status();
    const replaced = status === HALF_WAY || NEVER_MADE.test(status);
    const held = replaced ? [] : [...(await this.publishStack.holds('AWS::Lambda::LayerVersion'))];
    return this.plan.layers
      .filter(({ name }) => !held.some((arn) => arn.includes(`:layer:${name}:`)))
      .reduce((sum, { zipBytes }) => sum + zipBytes, 0);
  }

  /** Lambda gives a number once: a layer whose version 1 was deleted never has one again. */
  private async versionsRemain(): Promise<string[]> {
    return [...(await this.listVersions())]
      .filter(([, numbers]) => numbers.length > 0 && !numbers.includes(1))
      .map(
        ([{ name, runtime }]) =>
          `version 1 of layer ${name} was deleted, and Lambda gives no number again; raise "revision" in assets/runtimes/${runtime}/runtime.json, which gives the layer a new name`,
      );
  }

  /** The parameters of the account and region, each with its tier; asked once. */
  private parameters(): Promise<ReadonlyMap<string, string | undefined>> {
    this.existing ??= this.listParameters();
    return this.existing;
  }

  private async listParameters(): Promise<Map<string, string | undefined>> {
    const existing = new Map<string, string | undefined>();
    let NextToken: string | undefined;
    do {
      const page = await this.send('ssm:DescribeParameters', () =>
        this.ssm.send(new DescribeParametersCommand({ MaxResults: 50, NextToken })),
      );
      for (const { Name, Tier } of page.Parameters ?? []) existing.set(Name as string, Tier);
      NextToken = page.NextToken;
    } while (NextToken);
    return existing;
  }

  private planned(): ParameterPlan[] {
    return planParameters(this.plan.namespace, this.target, this.plan.layers);
  }

  private async parametersFit(): Promise<string[]> {
    const existing = await this.parameters();
    const added = this.planned().filter(({ name }) => !existing.has(name)).length;
    const standard = [...existing.values()].filter((tier) => tier !== 'Advanced').length;
    if (standard + added <= MAX_PARAMETERS) return [];
    const { ServiceSetting } = await this.send('ssm:GetServiceSetting', () =>
      this.ssm.send(
        new GetServiceSettingCommand({ SettingId: '/ssm/parameter-store/default-parameter-tier' }),
      ),
    );
    if (MORE_THAN_STANDARD.test(ServiceSetting?.SettingValue ?? '')) return [];
    return [
      `Parameter Store has ${standard} standard parameters, the release adds ${added}, the standard tier takes ${MAX_PARAMETERS}; delete some, or set the default tier to Intelligent-Tiering (aws ssm update-service-setting --setting-id /ssm/parameter-store/default-parameter-tier --setting-value Intelligent-Tiering)`,
    ];
  }

  /** Whether a release got stuck in the target before. */
  private async canChange(stack: TargetStack): Promise<string[]> {
    const { target } = this;
    const { name } = stack;
    const status = await stack.status();
    const inTarget = `--stack-name ${name} --region ${target.region}`;
    const is = `stack ${name} is ${status}, which no release can change`;
    if (status === HALF_WAY) {
      return [`${is}; let it go back: aws cloudformation continue-update-rollback ${inTarget}`];
    }
    if (!NEVER_MADE.test(status)) return [];
    if (MADE_ANEW.test(status) && !hasCloudFormationAction(target)) return [];
    return [`${is}; delete it: aws cloudformation delete-stack ${inTarget}`];
  }

  /**
   * CloudFormation changes no parameter that somebody deleted, and makes none that exists; the one
   * would leave the stack half way, the other is found in the last step of a wave.
   */
  private async parametersAreTheStacks(): Promise<string[]> {
    const { region } = this.target;
    const { name: stack } = this.releaseStack;
    const status = await this.releaseStack.status();
    if (status.endsWith('_IN_PROGRESS')) return [];
    const existing = await this.parameters();
    const held = await this.releaseStack.holds('AWS::SSM::Parameter');
    const planned = new Map(this.planned().map((parameter) => [parameter.name, parameter]));
    // What a stack has to go back to need not be in this release; what it drops may be gone already.
    const lost = [...held].filter(
      (name) => !existing.has(name) && (status === HALF_WAY || planned.has(name)),
    );
    const foreign = [...planned.keys()].filter((name) => existing.has(name) && !held.has(name));
    return [
      ...(NEVER_MADE.test(status) ? [] : lost).map((name) => {
        const parameter = planned.get(name);
        const released = parameter && held.has(recordName(this.plan.namespace, parameter.layer));
        const value = released ? parameter.value : 'lost';
        return `parameter ${name} of stack ${stack} was deleted, and CloudFormation cannot change it; make it again${released ? '' : ', with any value'}: aws ssm put-parameter --region ${region} --type String --name ${name} --value '${value}'`;
      }),
      ...(status === HALF_WAY ? [] : foreign).map(
        (name) =>
          `parameter ${name} exists, and is not of stack ${stack}, which is to make it; see whose it is, then delete it: aws ssm delete-parameter --region ${region} --name ${name}`,
      ),
    ];
  }

  private async send<Answer>(action: string, request: () => Promise<Answer>): Promise<Answer> {
    try {
      return await request();
    } catch (error) {
      throw this.explain(error, action);
    }
  }

  private explain(error: unknown, action: string): LayersError {
    const { region, lookupRoleArn } = this.target;
    return explain(error, { action, region, role: lookupRoleArn });
  }

  /** A check that could not be made is a problem among others. */
  private async attempt(check: () => Promise<string[]>): Promise<string[]> {
    try {
      return await check();
    } catch (error) {
      if (error instanceof LayersError) return [error.message];
      throw error;
    }
  }
}

function notEnabled(region: string, where: string, error: unknown): string {
  return `region ${region} is not enabled in ${where}: ${(error as Error).message}; enable it there (aws account enable-region --region-name ${region}), or pause the target`;
}
