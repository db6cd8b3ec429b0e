import { LayersError } from '../../errors';

/** Output variables by namespace; `codepipeline` and `variables` are the pipeline's own. */
export type VariableNamespaces = ReadonlyMap<string, Readonly<Record<string, string>>>;

const REFERENCE = /#\{([A-Za-z0-9@_-]+)\.([A-Za-z0-9_-]+)\}/g;

/** Namespaces that a value refers to with `#{namespace.variable}`. */
export function referencedNamespaces(value: string): string[] {
  return [...value.matchAll(REFERENCE)].map((match) => match[1] as string);
}

/**
 * Replaces every `#{namespace.variable}` of an action's configuration.
 *
 * @throws LayersError UnresolvedVariable, naming the field and the reference
 */
export function resolveVariables(
  configuration: Readonly<Record<string, string>>,
  namespaces: VariableNamespaces,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(configuration).map(([field, value]) => [
      field,
      value.replace(REFERENCE, (reference, namespace: string, variable: string) => {
        const found = namespaces.get(namespace)?.[variable];
        if (found === undefined) {
          throw new LayersError(
            'UnresolvedVariable',
            `${field} refers to ${reference}, but namespace "${namespace}" has no variable "${variable}"; export it from the action that owns the namespace`,
          );
        }
        // Inside EnvironmentVariables, itself JSON, a quote of a commit message must stay escaped.
        return field === 'EnvironmentVariables' ? JSON.stringify(found).slice(1, -1) : found;
      }),
    ]),
  );
}
