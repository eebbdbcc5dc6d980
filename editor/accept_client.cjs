// Drives `caisson lsp` as an editor does, with the client library of Visual Studio Code (vscode-languageserver-protocol):
// every feature on the examples; on every spec of specs/invalid the diagnostics of `caisson validate --format json`, and
// every quick fix made. Started by scripts/test-editors, which puts the library on NODE_PATH.
//
//   node editor/accept_client.cjs CAISSON REPOSITORY

"use strict";
const assert = require("node:assert/strict");
const { spawn, spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { pathToFileURL } = require("node:url");
const rpc = require("vscode-languageserver-protocol/node");

const [caisson, root] = process.argv.slice(2).map((word) => path.resolve(word));

/** An editor with one server. */
class Editor {
  constructor(folder, options = []) {
    this.folder = folder;
    this.process = spawn(caisson, ["lsp", ...options], { stdio: ["pipe", "pipe", "inherit"] });
    this.ended = new Promise((resolve) => this.process.on("exit", (code) => resolve(code)));
    this.connection = rpc.createProtocolConnection(
      new rpc.StreamMessageReader(this.process.stdout), new rpc.StreamMessageWriter(this.process.stdin));
    this.published = new Map();
    this.waiting = [];
    this.registered = [];
    this.texts = new Map();
    this.connection.onNotification(rpc.PublishDiagnosticsNotification.type, (params) => {
      this.published.set(params.uri, params);
      for (const waiter of this.waiting.splice(0)) waiter();
    });
    this.connection.onRequest(rpc.RegistrationRequest.type, (params) => { this.registered.push(...params.registrations); });
    this.connection.listen();
  }
  async start(capabilities = {}) {
    const result = await this.connection.sendRequest(rpc.InitializeRequest.type, {
      processId: process.pid, rootUri: null,
      workspaceFolders: [{ uri: pathToFileURL(this.folder).href, name: "folder" }],
      capabilities: {
        general: { positionEncodings: ["utf-16"] },
        workspace: { workspaceEdit: { documentChanges: true }, didChangeWatchedFiles: { dynamicRegistration: true } },
        textDocument: { hover: { contentFormat: ["markdown"] },
          completion: { completionItem: { documentationFormat: ["markdown"] } }, documentSymbol: { hierarchicalDocumentSymbolSupport: true } },
        ...capabilities,
      },
    });
    await this.connection.sendNotification(rpc.InitializedNotification.type, {});
    return result;
  }
  async stop() {
    await this.connection.sendRequest(rpc.ShutdownRequest.type);
    await this.connection.sendNotification(rpc.ExitNotification.type);
    const code = await this.ended;
    this.connection.dispose();
    return code;
  }
  uri(name) { return pathToFileURL(path.join(this.folder, name)).href; }
  async open(name, text, languageId = "yaml") {
    const uri = this.uri(name);
    this.texts.set(uri, { text, version: 1 });
    await this.connection.sendNotification(rpc.DidOpenTextDocumentNotification.type,
      { textDocument: { uri, languageId, version: 1, text } });
    return uri;
  }
  /** Puts a whole text, or replaces a range. */
  async change(uri, text, range) {
    const document = this.texts.get(uri);
    document.version += 1;
    document.text = range === undefined ? text : applied(document.text, [{ range, newText: text }]);
    await this.connection.sendNotification(rpc.DidChangeTextDocumentNotification.type, {
      textDocument: { uri, version: document.version }, contentChanges: [range === undefined ? { text } : { range, text }] });
  }
  async close(uri) {
    await this.connection.sendNotification(rpc.DidCloseTextDocumentNotification.type, { textDocument: { uri } });
    this.texts.delete(uri);
  }
  /** The diagnostics of the document's newest version. */
  async diagnostics(uri) {
    const version = this.texts.get(uri)?.version;
    for (;;) {
      const found = this.published.get(uri);
      if (found !== undefined && (version === undefined || found.version === version)) return found.diagnostics;
      await new Promise((resolve) => this.waiting.push(resolve));
    }
  }
  ask(type, uri, more = {}) { return this.connection.sendRequest(type, { textDocument: { uri }, ...more }); }
  at(uri, marker, shift = 0) {
    const { text } = this.texts.get(uri);
    const index = text.indexOf(marker);
    assert.ok(index >= 0, `no '${marker}' in the text`);
    return { position: positionOf(text, index + shift) };
  }
}

function positionOf(text, index) {
  const lines = text.slice(0, index).split(/\r\n|\n|\r/);
  return { line: lines.length - 1, character: lines.at(-1).length };
}

function indexOf(text, position) {
  let index = 0;
  for (let line = 0; line < position.line; line += 1) {
    const found = /\r\n|\n|\r/g;
    found.lastIndex = index;
    const match = found.exec(text);
    if (match === null) return text.length;
    index = found.lastIndex;
  }
  const end = text.slice(index).search(/[\r\n]/);
  return Math.min(index + position.character, end < 0 ? text.length : index + end);
}

function applied(text, edits) {
  const places = edits.map((edit) => ({ begin: indexOf(text, edit.range.start), end: indexOf(text, edit.range.end), text: edit.newText }));
  places.sort((a, b) => b.begin - a.begin);
  let result = text;
  for (const place of places) result = result.slice(0, place.begin) + place.text + result.slice(place.end);
  return result;
}

/** What `caisson validate` says, in the places of the protocol. */
function validated(file, options, textOf) {
  const ran = spawnSync(caisson, ["validate", path.basename(file), "--format", "json", ...options],
    { cwd: path.dirname(file), encoding: "utf8", maxBuffer: 1 << 28 });
  const said = JSON.parse(ran.stdout);
  const byFile = new Map();
  for (const each of said.diagnostics) {
    const lines = textOf(each.file).split("\n");
    const place = (line, column) => {
      let written = lines[line - 1] ?? "";
      if (written.endsWith("\r")) written = written.slice(0, -1);
      return { line: line - 1, character: Array.from(written).slice(0, column - 1).join("").length };
    };
    const list = byFile.get(each.file) ?? [];
    list.push({
      severity: { error: 1, warning: 2, note: 3 }[each.severity], code: each.code,
      message: each.message + (each.remedy === "" ? "" : "\n" + each.remedy),
      range: { start: place(each.line, each.column), end: place(each.end_line, each.end_column) },
    });
    byFile.set(each.file, list);
  }
  return byFile;
}

const plain = (list) => list.map(({ severity, code, message, range }) => ({ severity, code, message, range }));
const optionsOf = (text) => (text.startsWith("# options:") ? text.split("\n")[0].slice(10).trim().split(/\s+/) : []);

async function lifecycle(folder) {
  const early = new Editor(folder);
  await assert.rejects(early.ask(rpc.HoverRequest.type, "file:///x", { position: { line: 0, character: 0 } }), { code: -32002 });
  await early.connection.sendNotification(rpc.ExitNotification.type);
  assert.equal(await early.ended, 1, "exit without shutdown");
  const gone = new Editor(folder);
  await gone.start();
  gone.process.stdin.end();
  assert.equal(await gone.ended, 1, "a client that goes without a word");
  const junk = new Editor(folder);
  junk.process.stdin.write("GET / HTTP/1.1\r\n\r\n");
  assert.equal(await junk.ended, 1, "no protocol");
  const editor = new Editor(folder);
  const { capabilities, serverInfo } = await editor.start();
  assert.equal(serverInfo.name, "caisson");
  assert.equal(capabilities.positionEncoding, "utf-16");
  await assert.rejects(editor.connection.sendRequest("caisson/unheardOf", {}), { code: -32601 });
  assert.equal(await editor.stop(), 0);
  assert.deepEqual(editor.registered.map((each) => each.method), ["workspace/didChangeWatchedFiles"]);
}

/** Every refused spec: the same diagnostics, and fixes that take them away. */
async function invalidSpecs() {
  const folder = path.join(root, "specs/invalid");
  const bytesAreText = (name) => !/invalid-utf8|utf16/.test(name);  // an editor has no such text
  const names = fs.readdirSync(folder).filter((name) => name.endsWith(".yaml") && bytesAreText(name));
  // Editors keep a byte order mark out of the text.
  const read = (name) => fs.readFileSync(path.join(folder, name), "utf8").replace(/^\uFEFF/, "");
  const byOptions = Map.groupBy ? Map.groupBy(names, (name) => optionsOf(read(name)).join(" ")) : names.reduce((groups, name) => {
    const key = optionsOf(read(name)).join(" ");
    return groups.set(key, [...(groups.get(key) ?? []), name]);
  }, new Map());
  let compared = 0, fixed = 0;
  for (const [options, group] of byOptions) {
    const words = options === "" ? [] : options.split(" ");
    const editor = new Editor(folder, [...words, ...(words.includes("--strict") ? [] : ["--no-strict"])]);
    await editor.start();
    for (const name of group) {
      const text = read(name);
      const uri = await editor.open(name, text, "caisson");
      const found = await editor.diagnostics(uri);
      const expected = validated(path.join(folder, name), [...words, ...(words.includes("--strict") ? [] : ["--no-strict"])],
        (file) => (file === name ? text : read(file)));
      for (const [file, every] of expected) {
        // Whoever edits need not be the one who answers.
        const list = every.filter((each) => each.code !== "E0229");
        const here = file === name ? found : await editor.diagnostics(editor.uri(file));
        // An editor reads files by their whole paths.
        const said = plain(here).map((each) => ({ ...each, message: each.message.replaceAll(folder + "/", "") }));
        assert.deepEqual(said, list, `${name}: ${file}`);
        compared += list.length;
      }
      if (!expected.has(name)) assert.deepEqual(found, [], name);
      for (const diagnostic of found) {
        const { version } = editor.texts.get(uri);
        const actions = await editor.ask(rpc.CodeActionRequest.type, uri, { range: diagnostic.range, context: { diagnostics: [diagnostic] } });
        const own = (actions ?? []).filter((action) => action.diagnostics[0].code === diagnostic.code);
        for (const action of own.slice(0, 2)) {
          assert.equal(action.kind, "quickfix");
          const changes = action.edit.documentChanges;
          assert.deepEqual(changes.map((change) => change.textDocument), [{ uri, version }]);
          await editor.change(uri, applied(text, changes[0].edits));
          const count = (list) => list.filter((each) => each.code === diagnostic.code).length;
          assert.ok(count(await editor.diagnostics(uri)) < count(found), `${name}: '${action.title}' leaves ${diagnostic.code}`);
          fixed += 1;
          await editor.change(uri, text);
          await editor.diagnostics(uri);
        }
      }
      await editor.close(uri);
    }
    assert.equal(await editor.stop(), 0);
  }
  assert.ok(compared > 150 && fixed > 100, `${compared} diagnostics, ${fixed} fixes`);
  return `${names.length} specs, ${compared} diagnostics as validate has them, ${fixed} fixes made`;
}

const PRODUCT = `# A product.
caisson: v1
name: shop
version: 1.0.0
tiers:
  free: { isolation: schema, limits: { requests: 50/s } }
  enterprise:
    isolation: deployment
tenants: { file: tenants.csv }
services:
  billing:
    image: registry.example.com/billing@sha256:${"a".repeat(64)}
    port: 8080
    env: { GREETING: "\u{1F600} hello", KEY: "\${secret:stripe}" }
    resources: { memory: 64Mi..128Mi }
  web:
    image: registry.example.com/web@sha256:${"b".repeat(64)}
    needs: [billing]
secrets:
  stripe: { from: generate }
environments:
  demo:
    services: { billing: { port: 9090 } }
`;
const TENANTS = "slug,tier\nglobex,free\numbrella,enterprise\n";

async function features(folder) {
  fs.writeFileSync(path.join(folder, "deployment.yaml"), PRODUCT);
  fs.writeFileSync(path.join(folder, "tenants.csv"), TENANTS);
  const before = fs.readdirSync(folder).map((name) => [name, fs.statSync(path.join(folder, name)).mtimeMs]);
  const editor = new Editor(folder);
  await editor.start();
  const spec = await editor.open("deployment.yaml", PRODUCT);
  assert.deepEqual(await editor.diagnostics(spec), []);

  // Completion by the text up to the cursor, in a document that does not parse.
  await editor.change(spec, PRODUCT + "runtime:\n  mod");
  let list = await editor.ask(rpc.CompletionRequest.type, spec, editor.at(spec, "  mod", 5));
  const modules = list.items.find((item) => item.label === "modules");
  assert.match(modules.documentation.value, /default: `\[records\]`/);
  await editor.change(spec, applied(editor.texts.get(spec).text, [modules.textEdit]) + " [ev");
  list = await editor.ask(rpc.CompletionRequest.type, spec, editor.at(spec, "[ev", 3));
  assert.ok(list.items.some((item) => item.label === "events"));
  await editor.change(spec, PRODUCT);

  // Hover: the field, and what the value becomes.
  const hover = await editor.ask(rpc.HoverRequest.type, spec, editor.at(spec, "64Mi..128Mi", 3));
  assert.match(hover.contents.value, /services\.\*\.resources\.memory/);
  assert.match(hover.contents.value, /\*\*compose\*\*/);
  assert.match(hover.contents.value, /`"128m"` in `compose\/compose.yaml/);
  assert.match(hover.contents.value, /\*\*helm\*\*/);
  const overlay = await editor.ask(rpc.HoverRequest.type, spec, editor.at(spec, "9090", 1));
  assert.match(overlay.contents.value, /services\.\*\.port/);
  assert.match(overlay.contents.value, /9090/);

  // Definition, references, rename: also from and in the list beside the spec.
  const csv = await editor.open("tenants.csv", TENANTS, "csv");
  const definition = await editor.ask(rpc.DefinitionRequest.type, csv, editor.at(csv, "free", 1));
  assert.deepEqual(definition, [{ uri: spec, range: { start: editor.at(spec, "free:").position, end: editor.at(spec, "free:", 4).position } }]);
  const references = await editor.ask(rpc.ReferencesRequest.type, spec, { ...editor.at(spec, "stripe:"), context: { includeDeclaration: true } });
  assert.equal(references.length, 2);
  const prepared = await editor.ask(rpc.PrepareRenameRequest.type, spec, editor.at(spec, "needs: [billing", 9));
  assert.equal(prepared.placeholder, "billing");
  assert.equal(await editor.ask(rpc.PrepareRenameRequest.type, spec, editor.at(spec, "shop")), null);
  const renamed = await editor.ask(rpc.RenameRequest.type, spec, { ...editor.at(spec, "enterprise:"), newName: "gold" });
  const changes = new Map(renamed.documentChanges.map((change) => [change.textDocument.uri, change]));
  assert.deepEqual([...changes.keys()].sort(), [spec, csv].sort());
  assert.equal(changes.get(csv).textDocument.version, 1);
  assert.equal(applied(TENANTS, changes.get(csv).edits), TENANTS.replace("enterprise", "gold"));
  assert.equal(applied(PRODUCT, changes.get(spec).edits), PRODUCT.replace("enterprise:", "gold:"));
  await assert.rejects(editor.ask(rpc.RenameRequest.type, spec, { ...editor.at(spec, "enterprise:"), newName: "free" }), /already/);
  await assert.rejects(editor.ask(rpc.RenameRequest.type, csv, { ...editor.at(csv, "globex"), newName: "admin" }), /reserved/);

  // A mistake as it is typed behind a surrogate pair, and one in the file beside the spec.
  const wrong = { start: editor.at(spec, "${secret:stripe}", 9).position, end: editor.at(spec, "${secret:stripe}", 15).position };
  await editor.change(spec, "strope", wrong);
  const [unknown, unused] = await editor.diagnostics(spec);
  assert.equal(unknown.code, "E0205");
  assert.equal(unknown.range.start.line, editor.at(spec, "KEY").position.line);
  const actions = await editor.ask(rpc.CodeActionRequest.type, spec, { range: unknown.range, context: { diagnostics: [unknown], only: ["quickfix"] } });
  assert.ok(actions.some((action) => action.title === "replace with 'stripe'" || action.title.includes("stripe")), JSON.stringify(actions));
  await editor.change(spec, "stripe", wrong);
  assert.equal(editor.texts.get(spec).text, PRODUCT);
  assert.deepEqual(await editor.diagnostics(spec), [], unused?.message);
  await editor.change(csv, TENANTS + "globex,fre\n");
  assert.deepEqual((await editor.diagnostics(csv)).map((each) => each.code).sort(), ["E0201", "E0204"]);
  await editor.close(csv);

  // Outline, folds, formatting.
  const symbols = await editor.ask(rpc.DocumentSymbolRequest.type, spec);
  assert.deepEqual(symbols.find((symbol) => symbol.name === "services").children.map((child) => child.name), ["billing", "web"]);
  const folds = await editor.ask(rpc.FoldingRangeRequest.type, spec);
  assert.ok(folds.some((fold) => fold.startLine === editor.at(spec, "services:").position.line));
  const untidy = PRODUCT.replace("isolation: deployment", "    isolation:   deployment   # its own").replace("{ from: generate }", "{from: generate}");
  await editor.change(spec, untidy);
  const edits = await editor.ask(rpc.DocumentFormattingRequest.type, spec, { options: { tabSize: 2, insertSpaces: true } });
  assert.equal(applied(untidy, edits), PRODUCT.replace("isolation: deployment", "isolation: deployment   # its own"));

  // A request that nobody waits for any more.
  const source = new rpc.CancellationTokenSource();
  const slow = editor.connection.sendRequest(rpc.HoverRequest.type, { textDocument: { uri: spec }, ...editor.at(spec, "8080") }, source.token);
  source.cancel();
  await slow.catch((error) => assert.equal(error.code, -32800));

  assert.equal(await editor.stop(), 0);
  assert.deepEqual(fs.readdirSync(folder).map((name) => [name, fs.statSync(path.join(folder, name)).mtimeMs]), before, "nothing was written");
}

async function examples() {
  for (const name of fs.readdirSync(path.join(root, "examples"))) {
    const folder = path.join(root, "examples", name);
    const text = fs.readFileSync(path.join(folder, "deployment.yaml"), "utf8");
    const editor = new Editor(folder, ["--no-strict"]);
    await editor.start();
    const uri = await editor.open("deployment.yaml", text);
    const expected = validated(path.join(folder, "deployment.yaml"), ["--no-strict"], () => text);
    assert.deepEqual(plain(await editor.diagnostics(uri)), expected.get("deployment.yaml") ?? [], name);
    const lines = text.split("\n");
    for (let line = 0; line < lines.length; line += 7) {
      const position = { line, character: Math.floor(lines[line].length / 2) };
      await editor.ask(rpc.HoverRequest.type, uri, { position });
      await editor.ask(rpc.CompletionRequest.type, uri, { position });
    }
    assert.ok((await editor.ask(rpc.DocumentSymbolRequest.type, uri)).length > 3);
    const edits = await editor.ask(rpc.DocumentFormattingRequest.type, uri, { options: { tabSize: 2, insertSpaces: true } });
    await editor.change(uri, applied(text, edits));
    assert.deepEqual((await editor.diagnostics(uri)).map((each) => each.code), plain(expected.get("deployment.yaml") ?? []).map((each) => each.code));
    assert.equal(await editor.stop(), 0);
  }
}

/** Another process looks at what is generated from a large spec, as long as somebody wants to know. */
async function large(folder) {
  const tenants = Array.from({ length: 5000 }, (_, i) => `  - { slug: t${i} }\n`).join("");
  const text = "caisson: v1\nname: big\nversion: 1.0.0\npatches: [{ file: compose/none.yaml, at: /a, set: 1, reason: r }]\n" +
    `tenants:\n${tenants}`;
  const editor = new Editor(folder);
  const { pid } = editor.process;
  const until = async (holds) => { while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2)); };
  const others = () => fs.readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean);
  const another = async () => { await until(() => others().length > 0); return others()[0]; };
  const runs = (process) => {
    try { return !/^State:\tZ/m.test(fs.readFileSync(`/proc/${process}/status`, "utf8")); } catch { return false; }
  };
  await editor.start();
  const uri = await editor.open("large.yaml", text);
  const first = await another();
  await editor.change(uri, "# ", { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } });
  await editor.change(uri, text);
  assert.deepEqual(await editor.diagnostics(uri), []);
  await until(() => !others().includes(first));
  await until(() => editor.published.get(uri).diagnostics.some((each) => each.code === "E0303"));
  assert.deepEqual(others(), []);
  await editor.change(uri, text);
  const last = await another();
  editor.process.kill("SIGKILL");
  await until(() => !runs(last));
}

async function main() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "caisson-editors-"));
  try {
    await lifecycle(folder);
    await features(folder);
    await large(folder);
    await examples();
    console.log(`client: ${await invalidSpecs()}`);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
