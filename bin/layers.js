#!/usr/bin/env node
require('./environment');
const { existsSync } = require('node:fs');
const { join } = require('node:path');

// A checkout runs its sources; the package has only what `npm pack` compiled of them.
if (existsSync(join(__dirname, 'layers.ts'))) {
  require('./typescript');
  require('./layers.ts');
} else {
  require('../build/cli').runLayers();
}
