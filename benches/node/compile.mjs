// Compiles a module in Node, several times in one process: `compile.mjs FILE TIMES`, with V8's flags that say how.
//
// V8 shares the code of modules with equal bytes, so each time a custom section differs. The processor time of each compilation goes to stderr.
import { readFileSync } from "node:fs";

const [file, times] = process.argv.slice(2);
const bytes = readFileSync(file);
for (let i = 0; i < Number(times); i++) {
  // A custom section with the name "n" and one byte.
  const own = Buffer.concat([bytes, Buffer.from([0, 3, 1, 110, i])]);
  const before = process.cpuUsage();
  new WebAssembly.Module(own);
  const { user, system } = process.cpuUsage(before);
  process.stderr.write(`cpu_ns ${Math.round((user + system) * 1000)}\n`);
}
