import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import type { Architecture } from '../../release';
import type { EmulatorTools, NotAvailable } from '../tools';
import { run } from '../tools/command';

const SANDBOX = join(__dirname, 'sandbox.sh');
const ARM64_LOADER = 'lib/ld-linux-aarch64.so.1';
/** Where the arm64 libraries go when qemu's own folder is unknown or cannot be made. */
const OTHER_PREFIX = '/etc/qemu-binfmt/aarch64';

/** What an execution environment shows. */
export interface SandboxContents {
  readonly layerDirs: readonly string[];
  readonly codeDir: string;
  readonly rie: string;
}

/** How functions are kept apart from this machine, found out once by trying. */
export interface Isolation {
  readonly namespaces: boolean;
  /** Program and arguments before a command without namespaces, so that it ends with this process. */
  readonly endsWithUs: readonly string[];
  /** What cannot be had; `arm64 functions` and the like are the reader's words. */
  readonly notAvailable: readonly NotAvailable[];
  /** Variables that arm64 programs need beyond Lambda's. */
  readonly emulationVariables: Readonly<Record<string, string>>;
  how(architecture: Architecture): 'native' | 'emulated' | 'not-run';
  /** Program and arguments that run `command` isolated. */
  wrap(contents: SandboxContents, architecture: Architecture, command: readonly string[]): string[];
}

/** Tries the real thing: a namespace like a function's, and in it an arm64 program. */
export async function detectIsolation(tools: EmulatorTools): Promise<Isolation> {
  const { qemu, native } = tools;
  const notAvailable: NotAvailable[] = [...tools.notAvailable];
  const prefix = qemu?.prefix?.startsWith('/etc/') ? qemu.prefix : OTHER_PREFIX;

  const namespaces = await attempt(sandbox(['', '', '', '', '', ''], ['true']));
  if (namespaces !== '') notAvailable.push(noNamespaces(namespaces));

  // Needed only without them.
  const canEnd = namespaces !== '' && (await attempt([...endingBy('TERM'), 'true'])) === '';

  let emulate: string[] | undefined;
  if (namespaces === '' && qemu) {
    const loader = [join(prefix, ARM64_LOADER), '--version'];
    const own = [qemu.static, qemu.sysroot, prefix];
    const machines = ['', qemu.sysroot, prefix];
    const failure = await attempt(sandbox(['', '', '', ...own], loader));
    if (failure === '') emulate = own;
    else if ((await attempt(sandbox(['', '', '', ...machines], loader))) === '') emulate = machines;
    else notAvailable.push(noEmulation(failure));
  }

  const how = (architecture: Architecture) => {
    if (architecture === native) return 'native';
    return emulate ? 'emulated' : 'not-run';
  };
  return {
    namespaces: namespaces === '',
    endsWithUs: canEnd ? endingBy('TERM') : [],
    notAvailable,
    emulationVariables: prefix === qemu?.prefix ? {} : { QEMU_LD_PREFIX: prefix },
    how,
    wrap({ layerDirs, codeDir, rie }, architecture, command) {
      const emulator = (how(architecture) === 'emulated' && emulate) || ['', '', ''];
      return sandbox([layerDirs.join('\n'), codeDir, rie, ...emulator], command);
    },
  };
}

/** Program and arguments that end a command by a signal when this process is killed. */
function endingBy(signal: 'KILL' | 'TERM'): string[] {
  return ['setpriv', '--pdeathsig', signal];
}

/** `setpriv` and `--kill-child` end everything when this process is killed. */
function sandbox(settings: readonly string[], command: readonly string[]): string[] {
  return [
    ...endingBy('KILL'),
    ...[
      'unshare',
      '--user',
      '--map-root-user',
      '--mount',
      '--pid',
      '--ipc',
      '--fork',
      '--kill-child',
    ],
    ...['sh', SANDBOX, ...settings, ...command],
  ];
}

/** Empty when it worked, else what was said. */
async function attempt(command: readonly string[]): Promise<string> {
  const [program, ...args] = command;
  const result = await run(program, args, { timeoutMilliseconds: 20_000 });
  if (result.status === 0) return '';
  return result.stderr.trim().split('\n')[0] || `ended with status ${result.status}`;
}

function noNamespaces(said: string): NotAvailable {
  const what = 'isolation of functions';
  const setting = (path: string) =>
    existsSync(`/proc/sys/${path}`) ? readFileSync(`/proc/sys/${path}`, 'utf8').trim() : undefined;
  if (setting('kernel/apparmor_restrict_unprivileged_userns') === '1') {
    return {
      what,
      why: `AppArmor forbids user namespaces on this machine (${said})`,
      cure: 'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
    };
  }
  if (setting('kernel/unprivileged_userns_clone') === '0') {
    return {
      what,
      why: `this kernel forbids user namespaces (${said})`,
      cure: 'sudo sysctl -w kernel.unprivileged_userns_clone=1',
    };
  }
  if (setting('user/max_user_namespaces') === '0') {
    return {
      what,
      why: `user namespaces are switched off on this machine (${said})`,
      cure: 'sudo sysctl -w user.max_user_namespaces=15000',
    };
  }
  return {
    what,
    why: `user, mount and pid namespaces cannot be made here (${said})`,
    cure: 'install util-linux, or leave the container, or start it with --privileged',
  };
}

function noEmulation(said: string): NotAvailable {
  return {
    what: 'arm64 functions',
    why: `this kernel (${release()}) does not let a user register qemu: Linux 6.7 and newer do (${said})`,
    cure: 'have root register it: sudo apt-get install qemu-user-static binfmt-support',
  };
}
