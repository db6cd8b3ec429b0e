#!/usr/bin/env node
require('./typescript');
require('./rehearse.ts');
