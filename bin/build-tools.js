#!/usr/bin/env node
require('./typescript');
require('./build-tools.ts');
