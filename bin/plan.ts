import { dirname } from 'node:path';
import { planCommand } from '../lib/preview';
import { runProgram } from '../lib/program';

runProgram(() => planCommand(dirname(__dirname)).parseAsync());
