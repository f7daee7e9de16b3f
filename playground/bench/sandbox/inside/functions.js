// Loads a JavaScript program and answers calls to its entry point, with data only. Runs inside a sandbox.
"use strict";
const fs = require("fs");
const [IN, OUT] = [3, 4];
let rest = Buffer.alloc(0);

function receive() {
  const part = Buffer.alloc(1 << 16);
  for (;;) {
    const end = rest.indexOf(10);
    if (end >= 0) {
      const line = rest.subarray(0, end).toString("utf8");
      rest = rest.subarray(end + 1);
      return JSON.parse(line);
    }
    const count = fs.readSync(IN, part, 0, part.length, null);
    if (count === 0) process.exit(0);
    rest = Buffer.concat([rest, part.subarray(0, count)]);
  }
}

function send(message) {
  let data = Buffer.from(JSON.stringify(message) + "\n");
  while (data.length) data = data.subarray(fs.writeSync(OUT, data));
}

function encode(value, depth = 0) {
  if (depth > 60) throw new RangeError("the value is nested too deeply");
  const deeper = (item) => encode(item, depth + 1);
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number") return Number.isSafeInteger(value) && !Object.is(value, -0) ? value : { f: String(value).replace("Infinity", "inf") };
  if (typeof value === "bigint") return { n: value.toString(16) };
  if (Array.isArray(value)) return Array.from(value, deeper);
  if (value instanceof Set) return { s: Array.from(value, deeper) };
  if (value instanceof Map) return { m: Array.from(value, ([key, item]) => [deeper(key), deeper(item)]) };
  if (value instanceof String || value instanceof Number || value instanceof Boolean) return deeper(value.valueOf());
  if (typeof value === "object") {
    const prototype = Object.getPrototypeOf(value);
    const plain = prototype === null || prototype === Object.prototype;
    if (!plain && (value instanceof Date || value instanceof RegExp || value instanceof Promise || value instanceof Error)) return { o: prototype.constructor.name };
    return { d: Object.entries(value).filter(([, item]) => item !== undefined).map(([key, item]) => [key, deeper(item)]) };
  }
  return { o: typeof value };
}

function decode(value) {
  if (Array.isArray(value)) return value.map(decode);
  if (value === null || typeof value !== "object") return value;
  const [[mark, content]] = Object.entries(value);
  if (mark === "f") return Number(content.replace("inf", "Infinity"));
  if (mark === "i") return Number(content);
  if (mark === "t") return content.map(decode);
  if (mark === "s") return new Set(content.map(decode));
  if (mark === "d") return Object.fromEntries(content.map(([key, item]) => [decode(key), decode(item)]));
  throw new TypeError(mark);
}

function failure(error) {
  const names = [];
  for (let p = Object(error); p && p !== Object.prototype; p = Object.getPrototypeOf(p)) if (p.constructor) names.push(String(p.constructor.name));
  if (error && typeof error.name === "string") names.unshift(error.name);
  return { exc: names.slice(0, 20).map((name) => name.slice(0, 80)), msg: String((error && error.message) ?? error).slice(0, 500) };
}

function load(code, entry) {
  const module = { exports: {} };
  const named = `typeof ${entry} !== "undefined" ? ${entry} : undefined`;
  const found = new Function("require", "module", "exports", `${code}\n;return ${named}`)(require, module, module.exports);
  if (typeof found === "function") return found;
  return [module.exports[entry], module.exports, module.exports.default].find((item) => typeof item === "function");
}

async function main() {
  for (const name of ["log", "info", "debug", "table", "dir"]) console[name] = console.error;
  const job = receive();
  let entry;
  try {
    entry = load(job.code, job.entry_point);
  } catch (error) {
    return send({ id: job.id, ...failure(error) });
  }
  send({ id: job.id, loaded: typeof entry === "function" });
  for (;;) {
    const call = receive();
    let reply;
    try {
      reply = { ret: encode(await entry(...decode(call.args))) };
    } catch (error) {
      reply = failure(error);
    }
    send({ id: call.id, ...reply });
  }
}

main();
