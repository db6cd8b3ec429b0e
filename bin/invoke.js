#!/usr/bin/env node
require('./typescript');
require('./invoke.ts');
