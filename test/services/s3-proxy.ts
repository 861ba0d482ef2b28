import { once } from 'node:events';
import { createServer, type IncomingMessage, request as sendRequest, type ServerResponse } from 'node:http';

export interface ProxiedRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
}

/** What to do with a request instead of passing it on. */
export type Fault =
  /** Answer with this; the server sees nothing. */
  | { readonly kind: 'answer'; readonly status: number; readonly body: string }
  /** Break the connection; the server sees nothing. */
  | { readonly kind: 'refuse' }
  /** Never answer; the server sees nothing. */
  | { readonly kind: 'silence' }
  /** Let the server do it, and break the connection instead of answering. */
  | { readonly kind: 'lose' }
  /** Pass on so much of the answer's body, then break the connection. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** Pass on the answer's head and nothing of its body. */
  | { readonly kind: 'stall' }
  /** Pass on an answer that is made from the server's. */
  | { readonly kind: 'change'; readonly change: (answer: Answer) => Answer };

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface S3Proxy {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string;
  /** All that came, in order. */
  readonly requests: readonly ProxiedRequest[];
  /** From now on, ask this about every request; `undefined` passes it on. Forgets the requests so far. */
  inject(fault: (request: ProxiedRequest) => Fault | undefined): void;
  stop(): Promise<void>;
}

/** An HTTP proxy before an S3 server that breaks what it is told to. The signed host is that of the proxy. */
export async function startS3Proxy(target: string): Promise<S3Proxy> {
  const { hostname, port } = new URL(target);
  const requests: ProxiedRequest[] = [];
  let faultOf: (request: ProxiedRequest) => Fault | undefined = () => undefined;
  const server = createServer((incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming;
    requests.push({ method, url, headers });
    const fault = faultOf({ method, url, headers });
    if (fault?.kind === 'refuse') return void incoming.socket.destroy();
    if (fault?.kind === 'silence') return void incoming.resume();
    if (fault?.kind === 'answer') {
      incoming.resume().once('end', () => outgoing.writeHead(fault.status).end(fault.body));
      return;
    }
    const forward = sendRequest({ hostname, port, method, path: url, headers, agent: false }, (answer) => {
      passOn(answer, outgoing, fault).catch(() => outgoing.destroy());
    });
    forward.once('error', () => outgoing.destroy());
    outgoing.once('close', () => forward.destroy());
    incoming.pipe(forward);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.');
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    requests,
    inject(fault) {
      requests.length = 0;
      faultOf = fault;
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function passOn(
  answer: IncomingMessage,
  outgoing: ServerResponse,
  fault: Fault | undefined,
): Promise<void> {
  const status = answer.statusCode ?? 502;
  switch (fault?.kind) {
    case 'lose':
      answer.resume();
      return void outgoing.destroy();
    case 'stall':
      outgoing.writeHead(status, answer.headers).flushHeaders();
      return;
    case 'cut': {
      outgoing.writeHead(status, answer.headers);
      outgoing.write((await readAll(answer)).subarray(0, fault.afterBytes), () => outgoing.destroy());
      return;
    }
    case 'change': {
      const changed = fault.change({ status, body: (await readAll(answer)).toString() });
      const { 'content-length': _, 'transfer-encoding': __, ...headers } = answer.headers;
      outgoing.writeHead(changed.status, headers).end(changed.body);
      return;
    }
    default:
      outgoing.writeHead(status, answer.headers);
      answer.pipe(outgoing);
  }
}

async function readAll(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** An answer of S3 that says no. */
export const s3Error = (status: number, code: string): Fault => ({
  kind: 'answer',
  status,
  body: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>test</Message></Error>`,
});

/** The same fault for the first `count` requests that `matches` is true of. */
export function firstTimes(
  count: number,
  matches: (request: ProxiedRequest) => boolean,
  fault: Fault,
): (request: ProxiedRequest) => Fault | undefined {
  let left = count;
  return (request) => (matches(request) && left-- > 0 ? fault : undefined);
}
