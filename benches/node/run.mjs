// Runs a WASI program in Node, several times in one process: `run.mjs TIMES FILE ARGS…`.
//
// V8 compiles first with Liftoff and then, function by function, with TurboFan. Compiled code belongs to the module, so
// each further instance starts where the one before left off: all runs but the last are the warm-up.
import { readFileSync } from "node:fs";
import { WASI } from "node:wasi";

const [times, file, ...args] = process.argv.slice(2);
const module = new WebAssembly.Module(readFileSync(file));
for (let i = 0; i < Number(times); i++) {
  const wasi = new WASI({ version: "preview1", args: [file, ...args], env: {}, preopens: {}, returnOnExit: true });
  const instance = new WebAssembly.Instance(module, wasi.getImportObject());
  const before = process.cpuUsage();
  const code = wasi.start(instance);
  if (code) process.exit(code);
  // The processor time of this run alone, with what V8's compiler and collector threads used meanwhile.
  const { user, system } = process.cpuUsage(before);
  if (Number(times) > 1) process.stderr.write(`cpu_ns ${Math.round((user + system) * 1000)}\n`);
}
