#!/usr/bin/env node
require('ts-node').register({ dir: __dirname });
require('./build-tools.ts');
