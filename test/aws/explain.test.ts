import { explain } from '../../lib/aws';
import { LayersError } from '../../lib/errors';
import { awsError } from '../publish/fixture';

const role = 'arn:aws:iam::111111111111:role/reader';
const request = { action: 'ssm:GetParameter', region: 'eu-west-1', role };
const network = (code: string, message = code) =>
  Object.assign(new Error(message), { code, hostname: 'ssm.eu-west-1.amazonaws.com' });

test.each([
  ['NoCredentials', awsError('CredentialsProviderError', 'Could not load credentials')],
  ['ExpiredCredentials', awsError('CredentialsProviderError', 'The SSO session has expired')],
  ['ExpiredCredentials', awsError('ExpiredTokenException')],
  ['RefusedCredentials', awsError('UnrecognizedClientException')],
  ['AccessDenied', awsError('AccessDeniedException')],
  ['AccessDenied', awsError('Unknown', 'UnknownError', 403)],
  ['Throttled', awsError('ThrottlingException')],
  ['Throttled', awsError('AnyName', 'slow down', 429)],
  ['InvalidEndpoint', network('ERR_INVALID_URL')],
  ['NoSuchEndpoint', network('ENOTFOUND')],
  ['CertificateNotTrusted', network('DEPTH_ZERO_SELF_SIGNED_CERT')],
  ['CertificateNotTrusted', network('UNABLE_TO_VERIFY_LEAF_SIGNATURE')],
  ['EndpointUnreachable', network('ECONNREFUSED')],
  ['EndpointUnreachable', Object.assign(new Error('70 s'), { name: 'TimeoutError' })],
  ['RequestFailed', awsError('InternalServerError', 'oops', 500)],
])('fails with %s', (code, error) => {
  expect(explain(error, request)).toMatchObject({ code, cause: error });
});

test('fails naming the action, the role, the region and AWS’s own words', () => {
  const words = `User: ${role} is not authorized to perform: ssm:GetParameter on resource: x`;
  const { message } = explain(awsError('AccessDeniedException', words), request);
  expect(message).toContain(`ssm:GetParameter is denied to ${role} in eu-west-1: ${words}`);
});

test.each([
  [403, `ssm:GetParameter is denied to ${role} in eu-west-1: HTTP status 403, no reason given;`],
  [400, 'ssm:GetParameter failed in eu-west-1: HTTP status 400, no reason given'],
])('fails with the status of an answer that has no words: %i', (status, said) => {
  // What the SDK makes of an answer to HEAD, which has no body.
  const { message } = explain(awsError('Unknown', 'UnknownError', status), request);
  expect(message).toContain(said);
  expect(message).not.toContain('Unknown');
});

// What the SDK makes of a page in HTML.
test.each([
  awsError('SyntaxError', 'Unexpected token <\n  Deserialization error: to see the raw', 403),
  awsError('Unknown', 'Unknown', 403),
])('fails without accusing a role of what no service has said: $name', (error) => {
  expect(explain(error, request)).toMatchObject({
    code: 'EndpointUnreachable',
    message:
      'what came back for ssm:GetParameter in eu-west-1 is no answer of the service (HTTP status 403); check the proxy and AWS_ENDPOINT_URL',
  });
});

test('fails naming the host that does not exist', () => {
  expect(explain(network('ENOTFOUND'), request).message).toContain('ssm.eu-west-1.amazonaws.com');
});

test('fails naming the endpoint that is no URL', () => {
  const error = Object.assign(network('ERR_INVALID_URL'), { input: 'nonsense' });
  expect(explain(error, request).message).toContain('endpoint "nonsense" is no URL; correct or');
});

test('leaves an error that is explained already as it is', () => {
  const error = new LayersError('Known', 'known');
  expect(explain(error, request)).toBe(error);
});

test('throws a defect as it is', () => {
  const defect = new TypeError('undefined is not a function');
  expect(() => explain(defect, request)).toThrow(defect);
});
