import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** STS and S3 as far as publishing needs them; every answer comes after a round trip's time. */
export class LatentAws {
  /** Requests so far. */
  requests = 0;
  /** Paths of the objects that were put. */
  readonly objects = new Set<string>();

  private constructor(
    private readonly server: ReturnType<typeof createServer>,
    /** `http://127.0.0.1:<port>` */
    readonly endpoint: string,
  ) {}

  /** @param milliseconds from the end of a request to its answer */
  static async start(milliseconds: number): Promise<LatentAws> {
    const server = createServer(async (request, response) => {
      aws.requests += 1;
      let body = '';
      for await (const chunk of request) if (request.method === 'POST') body += chunk;
      await sleep(milliseconds);
      aws.answer(request, response, body);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const aws = new LatentAws(server, `http://127.0.0.1:${port}`);
    return aws;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private answer({ method, url = '/' }: IncomingMessage, response: ServerResponse, body: string) {
    const [path, query = ''] = url.split('?');
    const xml = (text: string) => {
      response.setHeader('Content-Type', 'application/xml');
      response.end(`<?xml version="1.0" encoding="UTF-8"?>${text}`);
    };
    if (method === 'POST') xml(body.includes('GetCallerIdentity') ? IDENTITY : SESSION);
    else if (method === 'HEAD') response.writeHead(this.objects.has(path) ? 200 : 404).end();
    else if (method === 'PUT') {
      this.objects.add(path);
      response.end();
    } else if (query.includes('list-type')) {
      xml(
        '<ListBucketResult><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>',
      );
    } else if (query.includes('encryption')) xml(ENCRYPTION);
    else xml('<LocationConstraint/>');
  }
}

const IDENTITY =
  '<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111111111111</Account><Arn>arn:aws:iam::111111111111:root</Arn><UserId>u</UserId></GetCallerIdentityResult></GetCallerIdentityResponse>';
const SESSION =
  '<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>';
const ENCRYPTION =
  '<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>';
