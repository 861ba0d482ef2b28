import { describe, expect, it } from 'vitest';
import { contractByName } from '../../../../src/model/contracts/index.ts';
import { millrace } from '../../../../src/model/contracts/millrace.ts';
import { torchvision } from '../../../../src/model/contracts/torchvision.ts';

describe('contractByName', () => {
  it('knows those that there are', () => {
    expect(contractByName('millrace')).toBe(millrace);
    expect(contractByName('torchvision')).toBe(torchvision);
  });

  it('refuses one that the schema names and this version does not run', () => {
    expect(() => contractByName('mmdeploy')).toThrow(
      expect.objectContaining({
        code: 'MODEL_NOT_SUPPORTED',
        message: 'this version does not run the contract "mmdeploy"; it runs millrace, torchvision',
      }),
    );
  });
});
