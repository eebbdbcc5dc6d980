// Drives the generated TypeScript client for tests: a request a line on stdin, its outcome a line on stdout.
//   node sdk_driver.mjs INDEX BASE_URL TENANT        the credential is in CREDENTIAL
import { randomBytes } from "node:crypto";
import { request } from "node:http";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [index, baseUrl, tenant] = process.argv.slice(2);
const sdk = await import(pathToFileURL(index).href);

/** As much of WebSocket as the client uses, for a Node.js that has none. */
class Socket {
  constructor(url, protocols) {
    const { hostname, port, pathname, search } = new URL(url);
    const headers = {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": 13,
      "Sec-WebSocket-Key": randomBytes(16).toString("base64"),
      "Sec-WebSocket-Protocol": protocols.join(", "),
    };
    this.handshake = request({ hostname, port, path: pathname + search, headers });
    this.handshake.on("upgrade", (_, connection, head) => {
      this.received = head;
      connection.on("data", (bytes) => this.read(bytes));
      this.read(Buffer.alloc(0));
    });
    this.handshake.on("response", (response) => this.onclose({ code: 1006, reason: `${response.statusCode}` }));
    this.handshake.on("error", () => this.onclose({ code: 1006, reason: "" }));
    this.handshake.end();
  }

  read(bytes) {
    this.received = Buffer.concat([this.received, bytes]);
    while (this.received.length >= 4) {
      const long = (this.received[1] & 127) === 126;
      const begin = long ? 4 : 2;
      const end = begin + (long ? this.received.readUInt16BE(2) : this.received[1] & 127);
      if (this.received.length < end) return;
      const opcode = this.received[0] & 15;
      const payload = this.received.subarray(begin, end);
      this.received = this.received.subarray(end);
      if (opcode === 1) this.onmessage({ data: payload.toString() });
      if (opcode === 8) this.onclose({ code: payload.readUInt16BE(0), reason: payload.subarray(2).toString() });
    }
  }

  close() {
    this.handshake.destroy();
  }
}

const client = new sdk.Client({ tenant, baseUrl, credential: process.env.CREDENTIAL, webSocket: Socket });

const told = (answer) => ({ value: answer.value ?? null, etag: answer.etag ?? null, replayed: answer.replayed });
const doers = {
  whoami: async () => told(await client.whoAmI()),
  collections: async ({ limit }) => {
    const collections = [];
    for await (const each of client.collections({ limit })) collections.push(each);
    return { value: collections };
  },
  create: async ({ collection, value, options }) => told(await client.createRecord(collection, value, options)),
  read: async ({ collection, id, options }) => told(await client.readRecord(collection, id, options)),
  replace: async ({ collection, id, value, options }) => told(await client.replaceRecord(collection, id, value, options)),
  delete: async ({ collection, id, options }) => told(await client.deleteRecord(collection, id, options)),
  batch: async ({ body }) => told(await client.runBatch(body)),
  credential: async ({ credential }) => told(await new sdk.Client({ tenant, baseUrl, credential }).whoAmI()),
  ticket: async () => told(await client.issueTicket()),
  list: async ({ collection, limit, order, filters }) => {
    const records = [];
    const filter = filters.map(([field, op, value]) => sdk.filter(field, op, value));
    for await (const record of client.records(collection, { limit, order, filter })) records.push(record);
    return { value: records };
  },
  watch: async ({ collection, value, options }) => {
    const feed = client.watch({ collection: [collection], ...options });
    const place = (await feed.next()).value;
    const made = (await client.createRecord(collection, value)).value;
    const change = (await feed.next()).value;
    await feed.return();
    return { value: { place, made, change } };
  },
  check: async ({ schema, value }) => ({ faults: sdk.faultsOf(sdk[`check${schema}`], value) }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  let outcome;
  try {
    outcome = await doers[request.do](request);
  } catch (error) {
    outcome = { error: error.name, code: error.code ?? null, message: error.message, faults: error.faults ?? [] };
  }
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}
