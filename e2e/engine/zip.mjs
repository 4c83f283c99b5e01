// Just enough of zip to look into an export and to write one anew.
import { crc32, inflateRawSync } from "node:zlib";

/** Returns the files of a zip, name → Buffer. */
export function unzip(zip) {
  const end = zip.lastIndexOf(Buffer.from("PK\x05\x06"));
  const files = new Map();
  let at = zip.readUInt32LE(end + 16);
  for (let n = zip.readUInt16LE(end + 10); n > 0; n--) {
    const method = zip.readUInt16LE(at + 10), packed = zip.readUInt32LE(at + 20);
    const [name, extra, comment] = [28, 30, 32].map((o) => zip.readUInt16LE(at + o));
    const local = zip.readUInt32LE(at + 42);
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const data = zip.subarray(start, start + packed);
    files.set(zip.toString("utf8", at + 46, at + 46 + name), method ? inflateRawSync(data) : Buffer.from(data));
    at += 46 + name + extra + comment;
  }
  return files;
}

/** Writes files, name → Buffer, uncompressed. */
export function zip(files) {
  const parts = [], index = [];
  let at = 0;
  for (const [name, data] of files) {
    const n = Buffer.from(name), head = Buffer.alloc(26);
    head.writeUInt16LE(20, 0);
    head.writeUInt32LE(crc32(data), 10);
    head.writeUInt32LE(data.length, 14);
    head.writeUInt32LE(data.length, 18);
    head.writeUInt16LE(n.length, 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(at, 10);
    index.push(Buffer.from("PK\x01\x02\x14\x00"), head, tail, n);
    parts.push(Buffer.from("PK\x03\x04"), head, n, data);
    at += 30 + n.length + data.length;
  }
  const list = Buffer.concat(index), end = Buffer.alloc(22);
  end.write("PK\x05\x06");
  end.writeUInt16LE(files.size, 8);
  end.writeUInt16LE(files.size, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, list, end]);
}
