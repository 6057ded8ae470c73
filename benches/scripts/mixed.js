// Objects, classes, closures, strings, regular expressions, Maps, typed arrays and JSON. `size` is set by the program
// that runs this; the value of the last expression is the checksum.
let acc = 0;
function mix(v) {
  acc = (Math.imul(acc, 31) + v) | 0;
}

class Shape {
  constructor(w, h) {
    this.w = w;
    this.h = h;
  }
  area() {
    return this.w * this.h;
  }
}
class Triangle extends Shape {
  area() {
    return super.area() / 2;
  }
}

function* counter(n) {
  for (let i = 0; i < n; i++) yield i * i;
}

for (let round = 1; round <= size; round++) {
  const shapes = [];
  for (let i = 0; i < 500; i++) shapes.push(i % 3 ? new Shape(i, round) : new Triangle(i, round));
  mix(shapes.reduce((sum, s) => sum + s.area(), 0));

  const counts = new Map();
  for (let i = 0; i < 2000; i++) {
    const key = "k" + ((i * 7919) % 257);
    counts.set(key, (counts.get(key) || 0) + 1);
  }
  for (const [key, value] of counts) mix(key.length * value);

  const text = JSON.stringify({ round, list: shapes.slice(0, 50), nested: { a: [1, 2, { b: "caf\u00e9" }] } });
  const back = JSON.parse(text);
  mix(back.list.length + text.length);
  mix(text.replace(/"w":(\d+)/g, (_, d) => "<" + d + ">").length);
  for (const m of text.matchAll(/\d{2,}/g)) mix(m[0].length);

  const bytes = new Uint8Array(4096);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i * round) ^ (i >> 3);
  mix(bytes.reduce((a, b) => (a + b) | 0, 0));

  const numbers = Array.from({ length: 800 }, (_, i) => (i * 7919 + round) % 1009);
  numbers.sort((a, b) => a - b);
  mix(numbers[400]);
  let total = 0;
  for (const v of counter(300)) total += v;
  mix(total);
  mix(Number(BigInt(round) ** 20n % 1000003n));
}
"ok " + acc;
