// The emulator of others (npm `emulate`), on loopback alone: `node emulate.mjs PACKAGE PORT SEED`. It listens
// everywhere by itself. Says `ready at ADDRESS`; ends when standard input does.
import { readFileSync } from "node:fs";
import net from "node:net";
import { pathToFileURL } from "node:url";

const [place, port, seed] = process.argv.slice(2);
let server;
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (at, ...more) {
  const told = more.filter((one) => typeof one === "function");
  server = this;
  return listen.call(this, { port: Number(at), host: "127.0.0.1" }, ...told);
};
const { createEmulator } = await import(pathToFileURL(`${place}/dist/api.js`).href);
const url = `http://127.0.0.1:${port}`;
await createEmulator({ service: "github", port: Number(port), baseUrl: url, seed: JSON.parse(readFileSync(seed, "utf8")) });
process.stdin.on("end", () => process.exit(0)).resume();
if (!server.listening) await new Promise((done) => server.once("listening", done));
console.log(`ready at ${server.address().address}`);
