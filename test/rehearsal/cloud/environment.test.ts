import { cloudEnvironment, withoutProxy } from '../../../lib/rehearsal/cloud';

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
