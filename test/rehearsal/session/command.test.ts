import { CommanderError } from 'commander';
import { rehearseCommand } from '../../../lib/rehearsal/command';

describe('the command line', () => {
  let said: string;

  async function refusal(...args: string[]): Promise<CommanderError> {
    said = '';
    const command = rehearseCommand('/nowhere')
      .exitOverride()
      .configureOutput({
        writeErr: (text) => {
          said += text;
        },
      });
    try {
      await command.parseAsync(args, { from: 'user' });
    } catch (error) {
      if (error instanceof CommanderError) return error;
      throw error;
    }
    throw new Error(`accepted ${args.join(' ')}`);
  }

  test.each([
    [['--aprove', 'all'], "unknown option '--aprove'"],
    [['--approve', 'me'], 'Allowed choices are all, none, ask'],
    [['--report'], "option '--report <file>' argument missing"],
    [['--config', ''], 'it is empty; write a path'],
  ])('fails on %j', async (args, message) => {
    expect((await refusal(...args)).exitCode).toBe(1);
    expect(said).toContain(message);
  });

  test.each([
    [__dirname, 'InvalidReport'],
    ['/proc/report.json', 'WriteFailed'],
  ])('fails before any work where no report can be written: %s', async (file, code) => {
    const running = rehearseCommand('/nowhere').parseAsync(['--report', file], { from: 'user' });
    await expect(running).rejects.toMatchObject({ code });
  });

  test('fails where the environment points at another emulator, and says what to do', async () => {
    const before = process.env.AWS_ENDPOINT_URL;
    process.env.AWS_ENDPOINT_URL = 'http://localhost:4566';
    try {
      const running = rehearseCommand('/nowhere').parseAsync([], { from: 'user' });
      await expect(running).rejects.toMatchObject({
        code: 'ForeignEndpoint',
        message: expect.stringMatching(/http:\/\/localhost:4566.*unset it/),
      });
    } finally {
      if (before === undefined) delete process.env.AWS_ENDPOINT_URL;
      else process.env.AWS_ENDPOINT_URL = before;
    }
  });

  test('tells every option, and nothing of the process that holds the local cloud', () => {
    const help = rehearseCommand('/nowhere').helpInformation();
    for (const option of [
      '--report',
      '--keep',
      '--stop',
      '--approve',
      '--config',
      '--after',
      '--fault',
      '--include-working-tree',
      '--allow-not-run',
    ]) {
      expect(help).toContain(option);
    }
    expect(help).not.toContain('local-cloud');
  });
});
