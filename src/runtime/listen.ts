import type { FastifyInstance } from 'fastify';
import { MillraceError, toError } from './errors.ts';

export interface ListenAddress {
  /** 0: any that is free. */
  readonly port: number;
  readonly host: string;
}

/**
 * Listens, and says at which URL.
 *
 * @throws MillraceError CONFIG_INVALID if the port is taken or not allowed.
 */
export async function listen(server: FastifyInstance, { port, host }: ListenAddress): Promise<string> {
  try {
    return await server.listen({ port, host });
  } catch (error) {
    throw new MillraceError(
      'CONFIG_INVALID',
      `cannot listen on ${host}:${port} (${toError(error).message}); choose a port that is free`,
      { cause: error },
    );
  }
}
