import { parseHandlerName } from '../../assets/runtime-api/handler';

test.each([
  ['main.handler', 'main', ['handler']],
  ['a/b/main.handler', 'a/b/main', ['handler']],
  ['main.api.get', 'main', ['api', 'get']],
  ['/opt/v1.2/main.handler', '/opt/v1.2/main', ['handler']],
  ['@scope/package.handler', '@scope/package', ['handler']],
])('%s', (name, file, path) => {
  expect(parseHandlerName(name)).toEqual({ file, path });
});

test.each([
  '',
  'main',
  'main.',
  '.handler',
  'a/.handler',
  'a.b/main',
  'main.handler/x',
  '../main.handler',
  'a/../main.handler',
])('refuses "%s"', (name) => {
  expect(() => parseHandlerName(name)).toThrow(`handler "${name}" is not <file>.<function>`);
});
