#!/usr/bin/env node
require('./typescript');
require('./plan.ts');
