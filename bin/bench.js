#!/usr/bin/env node
require('./typescript');
require('../test/bench/bench.ts');
