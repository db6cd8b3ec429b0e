import { parseAddress } from '../../assets/runtime-api/address';

test.each([
  ['127.0.0.1:9001', { host: '127.0.0.1', port: 9001 }],
  ['localhost:80', { host: 'localhost', port: 80 }],
  ['runtime.internal', { host: 'runtime.internal', port: 80 }],
  ['[::1]:9001', { host: '::1', port: 9001 }],
  ['[fe80::1]', { host: 'fe80::1', port: 80 }],
])('%s', (address, parts) => {
  expect(parseAddress(address)).toEqual(parts);
});

test.each([
  '',
  ':9001',
  'localhost:',
  'localhost:http',
  'localhost:-1',
  'localhost:1.5',
  '::1',
  'fe80::1',
  '[::1',
  '[]:80',
  '[::1]x:80',
  'a:1:2',
])('refuses "%s"', (address) => {
  expect(() => parseAddress(address)).toThrow(`AWS_LAMBDA_RUNTIME_API is "${address}"`);
});
