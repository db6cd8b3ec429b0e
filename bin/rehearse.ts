import { dirname } from 'node:path';
import { runProgram } from '../lib/program';
import { rehearseCommand } from '../lib/rehearsal/command';

runProgram(() => rehearseCommand(dirname(__dirname)).parseAsync());
