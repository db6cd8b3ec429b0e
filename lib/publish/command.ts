import { Command } from 'commander';
import pc from 'picocolors';
import { parseConcurrency, parsePath } from '../options';
import { readReleasePlan } from '../release';
import { writeJson } from '../write';
import { type PublishedObject, publish, publishError } from './publish';

const COLOURS = {
  published: pc.green,
  present: pc.dim,
  replaced: pc.yellow,
  failed: pc.red,
} as const;

/** `layers publish`: the publish action's work, which also runs by hand. */
export function publishCommand(): Command {
  return new Command('publish')
    .description("copy the release's zips into the bootstrap bucket of every target")
    .requiredOption('--plan <file>', 'release.json')
    .requiredOption('--layers <dir>', 'folder with layer zips; may be given again', collect)
    .requiredOption('--examples <dir>', 'folder with example zips; may be given again', collect)
    .option('--concurrency <number>', 'requests at the same time', parseConcurrency, 16)
    .option('--json <file>', 'write the result of every object there', parsePath)
    .action(async (options) => {
      const startedAt = Date.now();
      const objects = await publish({
        plan: await readReleasePlan(options.plan),
        layerDirs: options.layers,
        exampleDirs: options.examples,
        concurrency: options.concurrency,
        onObject: (object) => console.log(describeObject(object)),
      });
      console.log(summarize(objects, Date.now() - startedAt));
      if (options.json) await writeJson(options.json, objects);
      const error = publishError(objects);
      if (error) throw error;
    });
}

function describeObject(object: PublishedObject): string {
  const { status, account, region, zip, bytes, milliseconds, message } = object;
  return [
    COLOURS[status](status.padEnd(9)),
    `${account}/${region}`,
    zip,
    `${bytes} bytes`,
    `${(milliseconds / 1000).toFixed(1)} s`,
    ...(message ? [message] : []),
  ].join('  ');
}

function summarize(objects: readonly PublishedObject[], milliseconds: number): string {
  const count = (...statuses: PublishedObject['status'][]) =>
    objects.filter(({ status }) => statuses.includes(status)).length;
  const sent = objects
    .filter(({ status }) => status === 'published' || status === 'replaced')
    .reduce((sum, { bytes }) => sum + bytes, 0);
  return [
    `${count('published')} published`,
    `${count('replaced')} replaced`,
    `${count('present')} present`,
    `${count('failed')} failed`,
    `${(sent / 1e6).toFixed(1)} MB sent`,
    `${(milliseconds / 1000).toFixed(1)} s`,
  ].join(', ');
}

function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}
