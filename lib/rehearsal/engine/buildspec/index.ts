export { collectArtifact } from './collect';
export { hostEnvironment } from './host';
export { runPhases } from './run';
export { BuildShell } from './shell';
export { type ArtifactSet, artifactSetOf, type Buildspec, parseBuildspec } from './spec';
