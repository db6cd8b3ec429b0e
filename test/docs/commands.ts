/**
 * How every command of the README and of docs/*.md is tested. A command that is in none of the
 * lists fails a test, and so does one that is in a list and no longer in a page.
 */

/** Typed by test/standalone/deploy.test.ts with a local cloud around them. */
export const IN_THE_CLOUD = [
  'npx cdk bootstrap aws://HOME/us-east-1 --cloudformation-execution-policies arn:aws:iam::aws:policy/AdministratorAccess',
  'npx cdk bootstrap aws://TARGET/eu-west-1 --trust HOME --cloudformation-execution-policies arn:aws:iam::aws:policy/AdministratorAccess',
  'npx cdk deploy DenoRuntimeLayerStack -c architecture=arm64 -c denoVersion=v2.9.5',
  'npx cdk deploy DenoRuntimeLayerStack DenoExampleFnStack -c createExample=true -c architecture=arm64',
  'npx cdk deploy DenoExampleFnStack -c createExample=true -c layerArn=arn:… -c architecture=arm64',
  'npx cdk destroy DenoExampleFnStack',
  'npx cdk destroy DenoRuntimeLayerStack',
  `aws lambda invoke --function-name <TestFunctionName> --cli-binary-format raw-in-base64-out --payload '{"hello":"world"}' answer.json`,
  'aws lambda create-function --function-name hello --runtime provided.al2023 --architectures arm64 --handler mod.handler --layers <LayerArn> --memory-size 512 --timeout 30 --role <role ARN> --zip-file fileb://function.zip',
  'aws lambda delete-layer-version --layer-name deno-2_9_5-arm64-8433a93b7daa --version-number 1',
  'npx layers arn deno --arch arm64 --region eu-west-1',
  'npx layers list --region eu-west-1',
  'aws ssm get-parameter --name /layers/deno/arm64/latest --query Parameter.Value --output text',
] as const;

export type CloudCommand = (typeof IN_THE_CLOUD)[number];

/** Typed by test/standalone/package.test.ts in a folder outside this one, and a local cloud. */
export const WITH_THE_PACKAGE = [
  'npm pack',
  'npm install ../lambda-runtime-layers/lambda-runtime-layers-0.1.0.tgz',
  'npx tsc && npx cdk deploy Hello --app "node out/app.js"',
  'npx cdk destroy Hello --app "node out/app.js"',
  'npx layers build --runtime deno --version 2.9.5 --arch arm64 --out dist/layers',
] as const;

export type PackageCommand = (typeof WITH_THE_PACKAGE)[number];

/** Typed by test/docs/docs.test.ts on this machine alone. */
export const HERE = [
  'npx layers pin deno 2.9.5',
  'npx layers build --runtime deno --version 2.9.5 --check',
  `npm run -s invoke -- deno --arch arm64 --event '{"hello":"world"}'`,
  `npm run -s invoke -- deno --handler hashes.handler --event '{"texts":["a","b"]}'`,
  'npm run -s invoke -- node --code src/hello --handler index.handler --event event.json --watch',
] as const;

export type LocalCommand = (typeof HERE)[number];

/** Not typed, and why. */
export const NOT_TYPED: Readonly<Record<string, string>> = {
  'npm ci && npm run rehearse': 'test/e2e/rehearsal.test.ts runs rehearsals, without npm ci',
  'npm ci && npm test': 'these tests',
  'sudo apt-get install git openssl python3-venv util-linux': 'changes the machine',
  'sudo apt-get install qemu-user-static libc6-arm64-cross libstdc++6-arm64-cross':
    'changes the machine',
  'npx cdk deploy Delivery': 'the deployment that every rehearsal starts with',
  'npx cdk deploy Delivery -c delivery.source.branch=next':
    'as above; test/pipeline shows what the override changes',
  'npx cdk deploy Delivery -c delivery.waves.1.approval=false': 'as above',
  'npx cdk deploy Delivery -c \'delivery.waves.0.regions=["eu-west-1"]\'': 'as above',
  'token=$(aws codepipeline get-pipeline-state --name layers --output text --query "stageStates[].actionStates[?actionName==\'Approve-production\'].latestExecution.token | [] | [0]")':
    'needs a pipeline that waits; test/rehearsal/engine/api.test.ts asks and approves by API',
  'aws codepipeline put-approval-result --pipeline-name layers --stage-name production-approval --action-name Approve-production --token "$token" --result status=Approved,summary=checked':
    'as above',
  'npm run rehearse -- --config docs/examples/three-accounts.json --include-working-tree --approve all --report report.json':
    'test/long/accounts.test.ts rehearses this configuration',
  'npx layers prune --region eu-west-1': 'test/prune/end-to-end.test.ts runs it in a local cloud',
  'npx layers prune --region eu-west-1 --yes': 'as above',
  'aws cloudformation delete-stack --stack-name layers-release':
    'needs a stack that was never made: typed by test/long/faults.test.ts',
  'aws cloudformation continue-update-rollback --stack-name layers-release':
    'typed by test/long/faults.test.ts, with a stack that needs it',
  'aws ssm delete-parameter --name /layers/deno/arm64/2.9.5': 'as above, with its parameter',
  'aws codepipeline retry-stage-execution --pipeline-name layers --stage-name pilot-publish --pipeline-execution-id ID --retry-mode FAILED_ACTIONS':
    'typed by test/long/faults.test.ts, with ids',
  'aws codepipeline rollback-stage --pipeline-name layers --stage-name pilot-release --target-pipeline-execution-id ID':
    'as above',
  "npm run rehearse -- --fault 'lambda:InvokeFunction@333333333333/eu-west-1=denied'":
    'test/e2e/rehearsal.test.ts rehearses with faults; test/rehearsal/session/faults.test.ts reads them',
  "npm run rehearse -- --fault 'AWS::SSM::Parameter@222222222222/us-east-1=error:1' --fault Smoke-pilot=killed:1":
    'as above',
  'npm run bench -- build synth': 'measures for minutes',
  'npm run bench -- publish': 'measures for minutes, against a package that it installs',
  'npm run bench -- rehearsal': 'measures for minutes',
  'npm run bench -- runtimes': 'measures for minutes, against programs that it compiles',
  'npm run bench -- contract': 'takes minutes, against a package that it installs',
  'npm run bench -- contract --peer lambci=DIR --peer deno-lambda=DIR --peer bun-lambda=DIR':
    'needs what others have written; test/bench/contract-table.test.ts has what it makes of it',
  'aws logs tail <log group> --follow': 'AWS CLI 2 only, which is on no package index',
};

/**
 * Blocks that are no commands, by page and first line: what a test makes of them, or why none
 * does. A block that is not here fails a test, and so does an entry without its block.
 */
export const OTHER_BLOCKS: Readonly<Record<string, string>> = {
  "README.md: rehearsing bfce9b035429 Rehearsal: a checkout that takes no files is one message, and a quote in the cache's path works":
    'printed by a rehearsal, whose times and digests are never the same',
  'README.md: flowchart TB': 'a diagram',
  "README.md: ERROR delivery.home.account: 111111111111 is the example's account; put the id of the account that runs the pipeline there (Annotation)":
    'printed; compared in docs.test.ts',
  "README.md: const arn = StringParameter.valueForStringParameter(this, '/layers/deno/arm64/latest');":
    'compiled in package.test.ts',
  'README.md: bin/        app.ts (the CDK app), layers.ts, plan.ts, rehearse.ts, invoke.ts, bench.js: they only wire':
    'folders; compared in docs.test.ts',
  'docs/architecture.md: assets/runtimes ─┐': 'a diagram',
  'docs/runtimes.md: #!/bin/sh': 'a script for a runtime that is not there',
  'docs/runtimes.md: { "runtime": "tiny", "version": "1.0.0", "architecture": "arm64", "event": { "nonce": "…" } }':
    'compared with lib/layers/check.ts in docs.test.ts',
  'docs/runtimes.md: python3 -m venv /tmp/zig': 'what test/long/native.test.ts does',
  'docs/architecture.md: npm run rehearse ─┬ git: zip of HEAD (objects in a temporary folder, the checkout stays as it is)':
    'a diagram',
  'docs/configuration.md: error [QuotaExceeded]: this configuration does not fit into AWS:':
    'printed; compared in docs.test.ts',
  'docs/configuration.md: error [InvalidConfiguration]: configuration has 2 problems:':
    'printed; compared in docs.test.ts',
  "docs/configuration.md: ERROR delivery.home.account: 111111111111 is the example's account; put the id of the account that runs the pipeline there (Annotation)":
    'printed; compared in docs.test.ts',
  'docs/configuration.md: {': 'parsed in docs.test.ts',
  'docs/configuration.md: { "home": { "account": "111111111111", "region": "us-gov-east-1" },':
    'parsed in docs.test.ts',
  'docs/report.md: {': 'abridged; test/rehearsal/session/report.test.ts has the shape',
  'docs/security.md: {': 'parsed in docs.test.ts; only AWS enforces an execution policy',
  'docs/standalone.md: {"runtime":"deno","version":"2.9.5","architecture":"arm64","event":{"hello":"world"}}':
    'printed; compared in docs.test.ts',
  'docs/standalone.md: DenoRuntimeLayerStack.DenoVersion = 2.9.5':
    'printed; deploy.test.ts has these outputs and no others',
  'docs/standalone.md: deno 2.3.7 is not pinned by runtime.json: its content is checked against the integrity that the registry names today':
    'printed; prepare.test.ts has the sentence',
  'docs/standalone.md: error [InvalidFlags]: context flags have 2 problems:':
    'printed; deploy.test.ts has the sentences',
  "docs/standalone.md: import { App, Stack } from 'aws-cdk-lib';": 'deployed in package.test.ts',
  'docs/standalone.md: {': 'deployed with in package.test.ts',
  "docs/standalone.md: RuntimeLayer.fromParameter(stack, 'Deno', { runtime: 'deno', architecture: 'arm64', version: '2' });":
    'compiled in package.test.ts',
  'docs/standalone.md: Hello:': 'for SAM; its values are compared in docs.test.ts',
  'docs/standalone.md: resource "aws_lambda_function" "hello" {':
    'for Terraform, which is on no package index; its values are compared in docs.test.ts',
  'docs/standalone.md: provider:': 'for Serverless; its values are compared in docs.test.ts',
  'docs/standalone.md: #!/bin/sh': 'run in troubleshooting.test.ts',
};
