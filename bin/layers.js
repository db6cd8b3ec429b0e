#!/usr/bin/env node
require('./typescript');
require('./layers.ts');
