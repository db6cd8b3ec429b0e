import { TestEnvironment } from 'jest-environment-node';

// What tests start writes without colours: picocolors colours pipes, too, where CI is set, and
// jest sets FORCE_COLOR in its workers when it runs in a terminal.
process.env.NO_COLOR = '1';
delete process.env.FORCE_COLOR;

export default TestEnvironment;
