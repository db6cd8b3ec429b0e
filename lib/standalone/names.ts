/** `Deno` of `deno`: how stacks and outputs spell a runtime. */
export function pascalCase(runtime: string): string {
  return runtime.charAt(0).toUpperCase() + runtime.slice(1);
}

/** Name of a runtime's layer stack, `DenoRuntimeLayerStack`. */
export function layerStackName(runtime: string): string {
  return `${pascalCase(runtime)}RuntimeLayerStack`;
}

/** Name of a runtime's example stack, `DenoExampleFnStack`. */
export function exampleStackName(runtime: string): string {
  return `${pascalCase(runtime)}ExampleFnStack`;
}
