// How long an editor waits for a language server on a spec with 10,000 tenants: from an edit to the diagnostics of its version, and
// for a completion. Started by bench/editor.sh.
//
//   node bench/editor.cjs SPEC ROUNDS NAME SETTINGS COMMAND...

"use strict";
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { pathToFileURL } = require("node:url");
const rpc = require("vscode-languageserver-protocol/node");

const [spec, rounds, name, settings, ...command] = process.argv.slice(2);

async function main() {
  const server = spawn(command[0], command.slice(1), { stdio: ["pipe", "pipe", "inherit"] });
  const connection = rpc.createProtocolConnection(new rpc.StreamMessageReader(server.stdout), new rpc.StreamMessageWriter(server.stdin));
  const uri = pathToFileURL(path.resolve(spec)).href;
  let told = () => {};
  connection.onNotification(rpc.PublishDiagnosticsNotification.type, (params) => { if (params.uri === uri) told(params.diagnostics); });
  connection.onRequest(rpc.ConfigurationRequest.type, (params) =>
    params.items.map((item) => JSON.parse(settings)[item.section] ?? null));
  connection.onRequest(rpc.RegistrationRequest.type, () => {});
  connection.listen();
  const folder = pathToFileURL(path.dirname(path.resolve(spec))).href;
  await connection.sendRequest(rpc.InitializeRequest.type, {
    processId: process.pid, rootUri: folder, workspaceFolders: [{ uri: folder, name: "bench" }],
    capabilities: { workspace: { configuration: true, didChangeConfiguration: { dynamicRegistration: true } } } });
  await connection.sendNotification(rpc.InitializedNotification.type, {});
  await connection.sendNotification(rpc.DidChangeConfigurationNotification.type, { settings: JSON.parse(settings) });
  const text = fs.readFileSync(spec, "utf8");
  const next = () => new Promise((resolve) => { told = resolve; });
  let answer = next();
  await connection.sendNotification(rpc.DidOpenTextDocumentNotification.type,
    { textDocument: { uri, languageId: "yaml", version: 1, text } });
  await answer;
  const line = text.split("\n").findIndex((written) => written.includes("tenant-05000"));
  const character = text.split("\n")[line].indexOf("tier: ");
  const edits = [], completions = [];
  const timed = async (list, act) => {
    const begin = process.hrtime.bigint();
    await act();
    list.push(Number(process.hrtime.bigint() - begin) / 1e6);
  };
  let version = 1;
  for (let round = 0; round < Number(rounds); round += 1) {
    // A wrong key, then the right one: the diagnostics differ each time, so that the answer cannot be an old one.
    for (const [old, fresh] of [["tier", "tiex"], ["tiex", "tier"]]) {
      await timed(edits, async () => {
        answer = next();
        version += 1;
        await connection.sendNotification(rpc.DidChangeTextDocumentNotification.type, {
          textDocument: { uri, version },
          contentChanges: [{ range: { start: { line, character }, end: { line, character: character + old.length } }, text: fresh }] });
        const wrong = (await answer).length > 0;
        if (wrong !== (fresh !== "tier")) throw new Error(`${name}: ${fresh} is ${wrong ? "" : "not "}refused`);
      });
    }
    await timed(completions, () => connection.sendRequest(rpc.CompletionRequest.type, { textDocument: { uri }, position: { line, character: character + "tier: ".length } }));
  }
  // A new tenant, key by key: most of what is on the way cannot be read. The answer is that of its version, or when the server says none,
  // the next; a server that does not answer every version is not measured here.
  const typed = [];
  if (settings === "{}") {
    const change = async (range, fresh) => {
      await timed(typed, async () => {
        answer = next();
        version += 1;
        await connection.sendNotification(rpc.DidChangeTextDocumentNotification.type, {
          textDocument: { uri, version }, contentChanges: [{ range, text: fresh }] });
        await answer;
      });
    };
    const rows = ['  - { slug: "new-one", tier: free }', "  - slug: new-one", "  -\tslug", "    - x", "  - 'a"];
    for (const at of [5, line, text.split("\n").length - 1]) {
      for (const row of rows) {
        await change({ start: { line: at, character: 0 }, end: { line: at, character: 0 } }, "\n");
        for (let i = 0; i < row.length; i += 1)
          await change({ start: { line: at, character: i }, end: { line: at, character: i } }, row[i]);
        await change({ start: { line: at, character: 0 }, end: { line: at + 1, character: 0 } }, "");
      }
    }
  }
  const show = (what, list) => {
    list.sort((a, b) => a - b);
    const at = (share) => list[Math.ceil(share * list.length) - 1].toFixed(1);
    console.log(`${`${name}, ${what}`.padEnd(46)} ${at(0.5).padStart(10)} ${at(0.95).padStart(8)} ${`${list[0].toFixed(1)}..${at(1)}`.padStart(19)}`);
  };
  show("edit to diagnostics", edits);
  if (typed.length > 0) show("a key of a new tenant", typed);
  show("completion", completions);
  server.kill();
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
