import { formatText } from '../../assets/runtime-api/format-text';

const inspect = () => 'shown';

class Money {
  toString() {
    return '4 EUR';
  }
}
class Price extends Money {}
class Plain {}
class Refused extends Error {}

test.each([
  ['%s', new Money(), '4 EUR'],
  ['%s', new Price(), '4 EUR'],
  ['%s', { toString: () => 'own' }, 'own'],
  ['%s', { [Symbol.toPrimitive]: () => 'primitive' }, 'primitive'],
  ['%s', new URL('http://localhost/a'), 'http://localhost/a'],
  ['%s', Buffer.from('bytes'), 'bytes'],
  ['%s', new Plain(), 'shown'],
  ['%s', new Refused('no'), 'shown'],
  ['%s', { a: 1 }, 'shown'],
  ['%s', [1], 'shown'],
  ['%s', new Map(), 'shown'],
  ['%s', new Date(0), 'shown'],
  ['%s', Object.create(null), 'shown'],
  ['%s', { toString: 1 }, 'shown'],
  ['%s', 1n, '1n'],
  ['%s', -0, '-0'],
  ['%s', Symbol('s'), 'Symbol(s)'],
  ['%d', new Date(7), '7'],
  ['%d', -0, '-0'],
  ['%d', '0x10', '16'],
  ['%d', 1n, '1n'],
  ['%d', {}, 'NaN'],
  ['%d', Symbol('s'), 'NaN'],
  ['%i', [4.5], '4'],
  ['%i', 1n, '1n'],
  ['%i', Symbol('s'), 'NaN'],
  ['%f', '1.5px', '1.5'],
  ['%f', 1n, '1'],
])('%s of %p is %s, as util.format has it', (placeholder, value, expected) => {
  expect(formatText([placeholder, value], inspect)).toBe(expected);
});

test('what does not become text is shown, and does not make a log throw', () => {
  const hostile = {
    toString() {
      throw new Error('no text');
    },
  };
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  for (const value of [hostile, proxy]) {
    expect(formatText(['%s %d', value, value], inspect)).toBe('shown shown');
  }
  expect(formatText(['%j %j', cycle, 1n], inspect)).toBe('shown shown');
});
