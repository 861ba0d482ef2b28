import { MillraceError } from '../../runtime/errors.ts';
import type { ContractName } from '../manifest.ts';
import type { Contract } from './contract.ts';
import { millrace } from './millrace.ts';
import { torchvision } from './torchvision.ts';

/** One file a contract beside this one; a contract of the schema that is missing here is not supported yet. */
const CONTRACTS: Partial<Record<ContractName, Contract>> = { millrace, torchvision };

/** @throws MillraceError MODEL_NOT_SUPPORTED. */
export function contractByName(name: ContractName): Contract {
  const contract = CONTRACTS[name];
  if (contract) return contract;
  throw new MillraceError(
    'MODEL_NOT_SUPPORTED',
    `this version does not run the contract "${name}"; it runs ${Object.keys(CONTRACTS).join(', ')}`,
  );
}
