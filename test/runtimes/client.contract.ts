import { describeCommonContract } from './common';
import { DIALECTS, NOT_ASKED } from './dialects';

/** `NAME` of one of the layers' own clients, or `NAME=FOLDER` of another with its bootstrap. */
const [name = '', folder] = (process.env.CONTRACT_CLIENT ?? '').split('=');
if (!(name in DIALECTS)) throw new Error(`how "${name}" wants its handlers is not known`);

// Every wait of the contract is bounded below; this is for what nobody thought of.
jest.setTimeout(40_000);

describeCommonContract(
  { ...DIALECTS[name as keyof typeof DIALECTS], folder },
  NOT_ASKED[name] ?? {},
);
