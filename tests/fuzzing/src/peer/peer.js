// The other end of `peer/process.rs`: runs modules in this engine and says what they did, one line for each.
//
// A line asked is JSON, {wasm, fuelName, fuel, calls: [[name, [argument]]], globals: [name], memories: [name], tables: [name]}; the answer is JSON, too. Numbers are
// text, as `i32:-1` or, floats by their bits, `f64:9218868437227405312`.
'use strict';
const readline = require('readline');
const view = new DataView(new ArrayBuffer(8));

function argument(text) {
  const [type, bits] = text.split(':');
  switch (type) {
    case 'i32': return Number(bits);
    case 'i64': return BigInt(bits);
    case 'f32': view.setUint32(0, Number(bits)); return view.getFloat32(0);
    case 'f64': view.setBigUint64(0, BigInt(bits)); return view.getFloat64(0);
    default: return null;
  }
}

function value(type, x) {
  switch (type) {
    case 'i32': return `i32:${x}`;
    case 'i64': return `i64:${x}`;
    case 'f32': view.setFloat32(0, x); return `f32:${view.getUint32(0)}`;
    case 'f64': view.setFloat64(0, x); return `f64:${view.getBigUint64(0)}`;
    default: return x === null ? 'null' : 'ref';
  }
}

function failure(e) {
  if (e instanceof WebAssembly.Exception) return { exception: true };
  return { error: `${e && e.name}: ${e && e.message}` };
}

function run(request) {
  const answer = { steps: [] };
  let exports;
  try {
    const module = new WebAssembly.Module(Buffer.from(request.wasm, 'hex'));
    exports = new WebAssembly.Instance(module, {}).exports;
    answer.steps.push({ values: [] });
  } catch (e) {
    answer.steps.push(failure(e));
    return answer;
  }
  for (const [name, args, results] of request.calls) {
    if (request.fuelName !== null) exports[request.fuelName].value = request.fuel;
    try {
      let got = exports[name](...args.map(argument));
      if (results.length === 1) got = [got];
      const step = { values: results.map((type, i) => value(type, got[i])) };
      if (request.fuelName !== null) step.left = exports[request.fuelName].value;
      answer.steps.push(step);
    } catch (e) {
      answer.steps.push(failure(e));
    }
  }
  answer.globals = request.globals.map(([name, type]) => value(type, exports[name].value));
  answer.memories = request.memories.map((name) => Buffer.from(exports[name].buffer).toString('hex'));
  answer.tables = request.tables.map(([name, size64]) => {
    const table = exports[name];
    let marks = '';
    for (let i = 0; i < Number(table.length); i++) {
      marks += table.get(size64 ? BigInt(i) : i) === null ? '.' : 'r';
    }
    return marks;
  });
  return answer;
}

readline.createInterface({ input: process.stdin, crlfDelay: Infinity }).on('line', (line) => {
  process.stdout.write(JSON.stringify(run(JSON.parse(line))) + '\n');
});
