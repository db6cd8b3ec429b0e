import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { context } from '../../cdk.json';
import { parseConfig } from '../../lib/config';
import { prepareRelease, releaseFolders } from '../../lib/release/prepare';
import { temporaryFolder } from '../temporary-folder';

test.each(['layers', 'manifests', 'release'] as const)(
  'fails on a file in the place of dist/%s, before anything is built',
  async (name) => {
    const folders = releaseFolders(temporaryFolder());
    mkdirSync(dirname(folders[name]));
    writeFileSync(folders[name], '');
    const onMissing = jest.fn();
    await expect(
      prepareRelease(parseConfig(context.delivery), folders, onMissing),
    ).rejects.toMatchObject({
      code: 'NotAFolder',
      message: expect.stringContaining(`${folders[name]} has to be a folder`),
    });
    expect(onMissing).not.toHaveBeenCalled();
  },
);
