import { checkConfigurations, checkWrongValues } from './properties';

jest.setTimeout(120_000);

test('every configuration is planned within every quota, or refused with field, value and cure', () => {
  const { planned, refused } = checkConfigurations(300);
  // Otherwise one half of the property would hold for want of cases.
  expect(planned).toBeGreaterThan(60);
  expect(refused).toBeGreaterThan(30);
});

test('every wrong value is refused with field, value and cure', () => {
  checkWrongValues(100);
});
