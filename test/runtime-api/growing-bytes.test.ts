import { GrowingBytes } from '../../assets/runtime-api/http/growing-bytes';

const LARGE = new Uint8Array(1024 * 1024).fill(7);

describe('growing bytes', () => {
  const use = (bytes: GrowingBytes, length: number) => {
    bytes.append(LARGE, 0, length);
    const { buffer } = bytes.view();
    bytes.clear();
    return buffer;
  };

  test('share their room among large uses that follow each other, with small ones between', () => {
    const bytes = new GrowingBytes();
    const first = use(bytes, LARGE.length);
    for (let time = 0; time < 10; time++) {
      bytes.clear();
      use(bytes, 10);
      expect(use(bytes, LARGE.length)).toBe(first);
    }
  });

  test('let a large room go that is no longer used', () => {
    const bytes = new GrowingBytes();
    use(bytes, LARGE.length);
    const rooms = Array.from({ length: 6 }, () => use(bytes, 10).byteLength);
    expect(rooms[0]).toBe(LARGE.length);
    expect(rooms.at(-1)).toBeLessThan(64 * 1024);
  });
});
