/** Text of bytes of UTF-8; a byte order mark stays, malformed bytes become U+FFFD. */
export type Decode = (bytes: Uint8Array) => string;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Bytes that can follow the first one of a character. */
const MOST_FOLLOWING = 3;

export const decodeUtf8: Decode = (bytes) => decoder.decode(bytes);

/**
 * Decodes what is longer than `whole` bytes in pieces of `piece` bytes at most, at least four, and
 * joins their texts: to the same text, since it is cut between characters.
 */
export function decodeInPieces(whole: number, piece: number): Decode {
  return (bytes) => {
    if (bytes.length <= whole) return decoder.decode(bytes);
    let text = '';
    let from = 0;
    while (bytes.length - from > piece) {
      const to = boundary(bytes, from + piece);
      text += decoder.decode(bytes.subarray(from, to));
      from = to;
    }
    return text + decoder.decode(bytes.subarray(from));
  };
}

/** Where a character begins, at or shortly before an index; the index itself within malformed bytes. */
function boundary(bytes: Uint8Array, index: number): number {
  for (let back = 0; back <= MOST_FOLLOWING; back++) {
    if (!isFollowing(bytes[index - back])) return index - back;
  }
  return index;
}

function isFollowing(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
