import { LayersError } from '../errors';

/** What was asked of AWS, in the words that an explanation needs. */
export interface RequestContext {
  /** IAM action, `s3:PutObject`. */
  readonly action: string;
  readonly region: string;
  /** Role ARN that asked; the credentials of the environment where there is none. */
  readonly role?: string;
}

const DENIED = /^(AccessDenied(Exception)?|UnauthorizedOperation|Forbidden)$/;
const EXPIRED = /^(ExpiredToken(Exception)?|TokenRefreshRequired|RequestExpired)$/;
const REFUSED =
  /^(InvalidClientTokenId|UnrecognizedClientException|InvalidAccessKeyId|SignatureDoesNotMatch|InvalidSignatureException|IncompleteSignature|AuthFailure|InvalidToken)$/;
const THROTTLED =
  /^(Throttl(ing|ed)(Exception)?|ThrottledException|RequestThrottled(Exception)?|TooManyRequestsException|SlowDown|RequestLimitExceeded|EC2ThrottledException)$/;
const UNKNOWN_HOST = /^(ENOTFOUND|EAI_AGAIN)$/;
const UNREACHABLE =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|TimeoutError)$/;
/** The SDK's message where the service gave none. */
const BODILESS = 'UnknownError';
/** The SDK's words for what no service writes: the page of a proxy, or of another server. */
const NO_ANSWER = /Deserialization error|^Unknown$/;
const CERTIFICATE = /CERT|UNABLE_TO_(VERIFY|GET)/;

/** The parts of an AWS SDK or Node network error that tell one from another. */
interface AwsErrorShape extends Error {
  readonly code?: string;
  readonly hostname?: string;
  /** What is no URL. */
  readonly input?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $retryable?: { readonly throttling?: boolean };
}

/** AWS's own words; the status of an answer without a body, as S3 gives it to a HEAD request. */
export function wordsOf(error: Error): string {
  if (error.message !== BODILESS) return error.message;
  return `HTTP status ${(error as AwsErrorShape).$metadata?.httpStatusCode}, no reason given`;
}

export function isThrottling(error: unknown): boolean {
  const { name = '', $metadata, $retryable } = error as AwsErrorShape;
  return (
    THROTTLED.test(name) || $metadata?.httpStatusCode === 429 || $retryable?.throttling === true
  );
}

/**
 * Puts an error of the AWS SDK into one message: what was refused to whom, AWS's own words
 * untouched, and the cure. Anything that is not the SDK's or the network's is a defect and is
 * thrown as it is; a LayersError passes through.
 *
 * Codes: `NoCredentials`, `ExpiredCredentials`, `RefusedCredentials`, `AccessDenied`, `Throttled`,
 * `InvalidEndpoint`, `NoSuchEndpoint`, `EndpointUnreachable`, `CertificateNotTrusted`, `RequestFailed`.
 */
export function explain(error: unknown, { action, region, role }: RequestContext): LayersError {
  if (error instanceof LayersError) return error;
  if (!(error instanceof Error)) throw error;
  const { name, code = '', hostname, input, $metadata } = error as AwsErrorShape;
  const message = wordsOf(error);
  const who = role ?? 'the credentials of the environment';
  const because = (errorCode: string, text: string) =>
    new LayersError(errorCode, text, { cause: error });

  if (/^(Credentials|Token)?ProviderError$/.test(name)) {
    return /expired/i.test(message)
      ? because('ExpiredCredentials', `credentials have expired: ${message}; sign in again`)
      : because(
          'NoCredentials',
          `no AWS credentials were found (${message}); set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in`,
        );
  }
  if (EXPIRED.test(name)) {
    return because('ExpiredCredentials', `credentials have expired: ${message}; sign in again`);
  }
  if (REFUSED.test(name)) {
    return because(
      'RefusedCredentials',
      `${region} does not accept the credentials: ${message}; check the keys, and that the region is enabled in their account`,
    );
  }
  if ($metadata && NO_ANSWER.test(error.message)) {
    return because(
      'EndpointUnreachable',
      `what came back for ${action} in ${region} is no answer of the service (HTTP status ${$metadata.httpStatusCode}); check the proxy and AWS_ENDPOINT_URL`,
    );
  }
  if (DENIED.test(name) || $metadata?.httpStatusCode === 403) {
    return because(
      'AccessDenied',
      `${action} is denied to ${who} in ${region}: ${message}; allow the action in the role's policy`,
    );
  }
  if (isThrottling(error)) {
    return because(
      'Throttled',
      `${action} is still throttled in ${region} after several attempts: ${message}; try again later`,
    );
  }
  if (code === 'ERR_INVALID_URL') {
    return because(
      'InvalidEndpoint',
      `endpoint "${input}" is no URL; correct or unset AWS_ENDPOINT_URL, its form for the service, or the profile's endpoint_url`,
    );
  }
  if (UNKNOWN_HOST.test(code)) {
    return because(
      'NoSuchEndpoint',
      `no host "${hostname}" for region "${region}"; check the region's spelling, that it offers the service, and the network`,
    );
  }
  if (CERTIFICATE.test(code)) {
    return because(
      'CertificateNotTrusted',
      `the certificate of the endpoint for ${region} is not trusted (${message}); name its authority in AWS_CA_BUNDLE or NODE_EXTRA_CA_CERTS`,
    );
  }
  if (UNREACHABLE.test(code) || UNREACHABLE.test(name)) {
    return because(
      'EndpointUnreachable',
      `the endpoint for ${action} in ${region} does not answer (${message || code}); check the network, the proxy and AWS_ENDPOINT_URL`,
    );
  }
  if ($metadata) {
    const said = error.message === BODILESS ? message : `${name}: ${message}`;
    return because('RequestFailed', `${action} failed in ${region}: ${said}`);
  }
  throw error;
}
