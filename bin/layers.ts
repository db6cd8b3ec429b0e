import { runLayers } from '../lib/cli';

runLayers();
