/** A picture as a PNG file, for what is drawn at build time: red, green, blue, eight bits each, nothing else. */
import { crc32, deflateSync } from 'node:zlib';

/** @param pixels `width * height` of red, green, blue and opacity; the opacity is left out. */
export function encodePng(pixels: ArrayLike<number>, width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8); // eight bits, true colour; compression, filter and interlace are the usual ones
  const rows = Buffer.alloc(height * (1 + 3 * width));
  for (let y = 0, at = 0; y < height; y++) {
    at += 1; // no filter
    for (let x = 0; x < width; x++) {
      for (let part = 0; part < 3; part++) rows[at++] = pixels[4 * (y * width + x) + part]!;
    }
  }
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
