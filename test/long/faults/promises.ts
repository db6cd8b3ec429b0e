import type { TargetContents, Testbed } from '../../testbed';

/** Who may use which layer version, where somebody else may. */
export function sharedOf({ layers }: TargetContents): Record<string, readonly string[]> {
  return Object.fromEntries(
    Object.entries(layers)
      .filter(([, { sharedWith }]) => sharedWith.length > 0)
      .map(([arn, { sharedWith }]) => [arn, sharedWith]),
  );
}

export type ReleaseOf = 'old' | 'new';

/**
 * Which release every target is on, by `<account>/<region>`; fails where one is between the two, or
 * where anything of a layer contradicts the promises of docs/architecture.md: a recorded ARN is gone,
 * a layer version has other bytes, a stray one is shared, a pointer names what is not shared.
 */
export function releasesOf(
  testbed: Testbed,
  contents: readonly TargetContents[],
): Record<string, ReleaseOf> {
  const [old, next] = [testbed.expected('Source'), testbed.expected()];
  return Object.fromEntries(
    contents.map((target, index) => {
      const before = old[index] as TargetContents;
      const after = next[index] as TargetContents;
      // Promise 5: whatever was there is there, shared with the same.
      expect(target.layers).toMatchObject(before.layers);
      for (const [arn, layer] of Object.entries(target.layers)) {
        // Promise 4: one content for each name, and versions beyond the first stay private.
        const first = after.layers[arn.replace(/:\d+$/, ':1')];
        expect({ arn, codeSha256: layer.codeSha256 }).toEqual({
          arn,
          codeSha256: first?.codeSha256,
        });
        if (!arn.endsWith(':1')) expect({ arn, ...layer }).toMatchObject({ sharedWith: [] });
      }
      const place = `${target.account}/${target.region}`;
      const isNew = JSON.stringify(target.parameters) === JSON.stringify(after.parameters);
      const { parameters, tags } = isNew ? after : before;
      expect({ place, parameters: target.parameters, tags: target.tags }).toEqual({
        place,
        parameters,
        tags,
      });
      // What pointers name is shared; what goes back stays shared, as permissions are retained.
      const shared = sharedOf(target);
      expect(shared).toMatchObject(sharedOf(isNew ? after : before));
      expect({ ...sharedOf(before), ...sharedOf(after) }).toMatchObject(shared);
      return [place, isNew ? 'new' : 'old'];
    }),
  );
}

/** Contents without stray private layer versions, and with stacks that are at rest and complete. */
export function converged(contents: readonly TargetContents[]): unknown {
  return contents.map(({ layers, stacks, ...rest }) => ({
    ...rest,
    layers: Object.fromEntries(Object.entries(layers).filter(([arn]) => arn.endsWith(':1'))),
    stacks: Object.fromEntries(
      Object.entries(stacks).map(([name, status]) => [
        name,
        /^(CREATE|UPDATE)_COMPLETE$/.test(status) ? 'complete' : status,
      ]),
    ),
  }));
}
