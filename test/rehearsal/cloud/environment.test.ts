import { cloudEnvironment, isolate, withoutProxy } from '../../../lib/rehearsal/cloud/environment';

const LOOPBACK = 'localhost,127.0.0.1';

test('the local cloud is reached without a proxy, and what the user excepts stays so', () => {
  const HTTPS_PROXY = 'http://proxy.example:3128';
  expect(withoutProxy({ HTTPS_PROXY })).toEqual({ NO_PROXY: LOOPBACK, no_proxy: LOOPBACK });
  const own = `.example,${LOOPBACK}`;
  expect(withoutProxy({ HTTPS_PROXY, no_proxy: '.example' })).toMatchObject({ NO_PROXY: own });
  expect(withoutProxy({ HTTPS_PROXY, NO_PROXY: own })).toMatchObject({ NO_PROXY: own });
  expect(withoutProxy({ HTTPS_PROXY, NO_PROXY: '*' })).toEqual({});
  expect(withoutProxy({ HTTPS_PROXY: '' })).toEqual({});
});

test('what talks to the local cloud is told so', () => {
  const before = process.env;
  process.env = { ...before, HTTPS_PROXY: 'http://proxy.example:3128', NO_PROXY: '.example' };
  try {
    const variables = cloudEnvironment(
      'https://localhost:1',
      '/ca.pem',
      '111111111111',
      'us-east-1',
    );
    expect(variables).toMatchObject({ NO_PROXY: `.example,${LOOPBACK}` });
  } finally {
    process.env = before;
  }
});

test('nothing that leads AWS tools to a real account reaches a rehearsal or its programs', () => {
  const environment = {
    PATH: '/bin',
    AWS_PROFILE: 'production',
    AWS_ACCESS_KEY_ID: 'key',
    AWS_USE_FIPS_ENDPOINT: 'true',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    CDK_DEFAULT_ACCOUNT: '123456789012',
    LAYERS_REHEARSAL: '1',
    https_proxy: 'http://proxy.example:3128',
    no_proxy: '.example,localhost',
  };
  isolate(environment);
  expect(environment).toEqual({
    PATH: '/bin',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    LAYERS_REHEARSAL: '1',
    https_proxy: 'http://proxy.example:3128',
    NO_PROXY: '.example,localhost,127.0.0.1',
    no_proxy: '.example,localhost,127.0.0.1',
  });
});
