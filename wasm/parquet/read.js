// A worker that reads one Parquet table: bytes in, JSON Lines out. The page starts it for a file and
// ends it (static/page.js), so that what a hostile file takes of time and memory ends with it.
// Values are written as the command line writes them (wasm/tune/parquet.go).
import { decompress as zstd } from "fzstd";
import { parquetMetadata, parquetReadObjects, parquetSchema } from "hyparquet";
import { deserializeTCompactProtocol } from "hyparquet/src/thrift.js";
import { gunzip } from "hyparquet-compressors/src/gzip.js";
import { decompressLz4, decompressLz4Raw } from "hyparquet-compressors/src/lz4.js";

/** What a table may have: columns, rows and bytes of text that are read, values of a column and bytes of a page in one row group. */
const most = { columns: 256, rows: 1_000_000, text: 64e6, values: 8e6, page: 128 << 20, group: 512 << 20 };

/** An error that the page has words for (ui/table.go), by its name. */
class Refusal extends Error {}

const compressors = {
  GZIP: (input, length) => gunzip(input, new Uint8Array(length)),
  ZSTD: (input, length) => zstd(input, new Uint8Array(length)),
  LZ4: decompressLz4,
  LZ4_RAW: decompressLz4Raw,
};

/**
 * A point in time by its date and clock, with the digits after the second that are not zero.
 * @param {bigint} units
 * @param {bigint} perSecond
 */
function clock(units, perSecond) {
  const whole = units / perSecond - BigInt(units % perSecond < 0n);
  const digits = String(perSecond).length - 1;
  const rest = String(units - whole * perSecond).padStart(digits, "0").replace(/0+$/, "");
  const text = new Date(Number(whole) * 1000).toISOString().replace(/\.000Z$/, "");
  return rest ? `${text}.${rest}` : text;
}

const decoder = new TextDecoder();
const parsers = {
  timestampFromMilliseconds: (n) => clock(BigInt(n), 1000n),
  timestampFromMicroseconds: (n) => clock(BigInt(n), 1_000_000n),
  timestampFromNanoseconds: (n) => clock(BigInt(n), 1_000_000_000n),
  dateFromDays: (n) => new Date(n * 86_400_000).toISOString().slice(0, 10),
  jsonFromBytes: (bytes) => {
    const text = decoder.decode(bytes);
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  },
};

/** The shortest text of a 32-bit float, as a number. */
function short(x) {
  for (let digits = 6; digits < 9; digits++) {
    const y = Number(x.toPrecision(digits));
    if (Math.fround(y) === x) return y;
  }
  return x;
}

/** A number, or where JavaScript has too few bits for it its digits. */
const long = (n) => (Number.isSafeInteger(Number(n)) ? Number(n) : String(n));

/** A value as JSON has it: no infinities, floats of 32 bits by their shortest text, a class by its name. */
function tidy(v, node) {
  switch (typeof v) {
    case "bigint":
      return long(v);
    case "number":
      if (!Number.isFinite(v)) return null;
      return node?.element.type === "FLOAT" ? short(v) : v;
    case "object": {
      if (v === null) return null;
      if (Array.isArray(v)) {
        const element = node?.element.converted_type === "LIST" ? inside(node) : node;
        return v.map((x) => tidy(x, element));
      }
      const values = node?.element.converted_type === "MAP" ? node.children[0]?.children[1] : null;
      const out = Object.create(null);
      for (const key of Object.keys(v)) out[key] = tidy(v[key], values ?? node?.children.find((c) => c.element.name === key));
      return out;
    }
    case "undefined":
      return null;
    default:
      return v;
  }
}

/** The element of a list, which stands in a group of its own or, in old files, alone. */
function inside(node) {
  const repeated = node.children[0];
  return repeated?.children.length === 1 ? repeated.children[0] : repeated;
}

/** The names of classes that datasets keeps beside its numbers, by column. */
function classNames(metadata) {
  const names = new Map();
  try {
    const said = JSON.parse(metadata.key_value_metadata.find((x) => x.key === "huggingface").value).info.features;
    for (const [column, feature] of Object.entries(said)) {
      if (feature._type === "ClassLabel" && Array.isArray(feature.names) && feature.names.every((n) => typeof n === "string")) names.set(column, feature.names);
    }
  } catch {
    // none, or not datasets'
  }
  return names;
}

/** Walks over the pages of a row group before anything is unpacked: they say how much there is. */
function measure(group, bytes) {
  let unpacked = 0;
  for (const column of group.columns) {
    const m = column.meta_data;
    if (!m || column.crypto_metadata || column.file_path) throw new Refusal("elsewhere");
    if (m.codec === "BROTLI") throw new Refusal("brotli"); // a decoder of 60 kB that damaged files never leave
    let start = Number(m.data_page_offset);
    if (m.dictionary_page_offset && Number(m.dictionary_page_offset) < start) start = Number(m.dictionary_page_offset);
    const end = start + Number(m.total_compressed_size);
    if (!(start >= 4 && end <= bytes.length && start <= end)) throw new Error("a column lies outside of the file");
    const reader = { view: new DataView(bytes.buffer, bytes.byteOffset + start, end - start), offset: 0 };
    let values = 0;
    while (reader.offset < reader.view.byteLength - 1) {
      const { field_2: size, field_3: packed, field_5: data, field_7: words, field_8: newer } = deserializeTCompactProtocol(reader);
      const head = data ?? newer;
      const count = (head ?? words ?? { field_1: 0 }).field_1;
      const levels = newer && !data ? [newer.field_3, newer.field_5, newer.field_6] : [];
      if (![size, packed, count, ...levels].every((n) => Number.isInteger(n) && n >= 0)) throw new Error("a page has no size");
      if (reader.offset + packed > reader.view.byteLength || levels.length && levels[1] + levels[2] > Math.min(size, packed)) throw new Error("a page lies outside of its column");
      unpacked += size;
      if (size > most.page || unpacked > most.group || count > most.values) throw new Refusal("group");
      if (head) values += count;
      reader.offset += packed;
    }
    if (values > most.values) throw new Refusal("group");
    if (Number(group.num_rows) > values) throw new Error("a column has fewer values than rows");
  }
}

/**
 * Reads a table: its rows as JSON Lines, how many they are and how many the table has.
 * @param {Uint8Array<ArrayBuffer>} bytes
 */
async function read(bytes) {
  const file = bytes.slice().buffer;
  const metadata = parquetMetadata(bytes, { geoparquet: false });
  const schema = parquetSchema(metadata);
  if (schema.children.length === 0) throw new Refusal("empty");
  if (schema.children.length > most.columns) throw new Refusal("columns");
  const classes = classNames(metadata);
  const chunks = [];
  let [length, rows] = [0, 0];
  const encoder = new TextEncoder();
  reading: for (const group of metadata.row_groups) {
    measure(group, bytes);
    // A table of this group alone: what the others hold is not read before their turn.
    const alone = { ...metadata, num_rows: group.num_rows, row_groups: [group] };
    let text = "";
    const found = await parquetReadObjects({ file, metadata: alone, compressors, parsers, geoparquet: false });
    for (const row of found) {
      const out = tidy(row, schema);
      for (const [column, names] of classes) {
        if (Number.isInteger(out[column]) && names[out[column]] !== undefined) out[column] = names[out[column]];
      }
      const line = `${JSON.stringify(out)}\n`;
      const full = rows === most.rows || length + text.length + line.length > most.text;
      if (full || text.length > 1 << 20) {
        const chunk = encoder.encode(text);
        chunks.push(chunk);
        length += chunk.length;
        text = "";
      }
      if (full || length + 3 * line.length > most.text) break reading;
      text += line;
      rows++;
    }
    const chunk = encoder.encode(text);
    chunks.push(chunk);
    length += chunk.length;
  }
  const lines = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    lines.set(chunk, at);
    at += chunk.length;
  }
  return { lines, rows, of: Number(metadata.num_rows) };
}

/** What went wrong: by a name that the page knows, or as the library says it. */
const failure = (err) => ({ why: err instanceof Refusal ? err.message : String(err?.message ?? err) });

addEventListener("message", async ({ data }) => {
  try {
    const answer = await read(data);
    /** @type {any} */ (globalThis).postMessage(answer, [answer.lines.buffer]);
  } catch (err) {
    postMessage(failure(err));
  }
});
