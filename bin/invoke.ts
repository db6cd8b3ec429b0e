import { invokeCommand } from '../lib/invoke/command';
import { runProgram } from '../lib/program';

runProgram(() => invokeCommand().parseAsync());
