/** The client: every operation, and lists without pages. */

import type { Json } from "./check.js";
import { Operations, type ListCollectionsOptions, type ListRecordsOptions, type WatchChangesOptions } from "./operations.js";
import { type ClientOptions, Transport } from "./transport.js";
import type { Collection, CollectionCount, Filter, StoredRecord, WatchMessage } from "./types.js";
import { messagesOf } from "./watch.js";

export class Client extends Operations {
  constructor(options: ClientOptions) {
    super(new Transport(options));
  }

  /** All collections that have records, one after another; pages are fetched as they are needed. */
  async *collections(options: ListCollectionsOptions = {}): AsyncGenerator<CollectionCount, void, undefined> {
    let cursor = options.cursor;
    for (;;) {
      const asked: ListCollectionsOptions = cursor === undefined ? options : { ...options, cursor };
      const page = (await this.listCollections(asked)).value;
      yield* page.collections;
      if (page.next === null) return;
      cursor = page.next;
    }
  }

  /** All records of a list, one after another; pages are fetched as they are needed. */
  async *records(collection: Collection, options: ListRecordsOptions = {}): AsyncGenerator<StoredRecord, void, undefined> {
    let cursor = options.cursor;
    for (;;) {
      const asked: ListRecordsOptions = cursor === undefined ? options : { ...options, cursor };
      const page = (await this.listRecords(collection, asked)).value;
      yield* page.records;
      if (page.next === null) return;
      cursor = page.next;
    }
  }

  /**
   * The tenant's changes as they happen; the first message says where the feed is. Throws WatchEnded when the connection
   * ends: watch again with `after` and the last sequence that was seen, and list again where a message says `gap`.
   */
  async *watch(options: WatchChangesOptions = {}): AsyncGenerator<WatchMessage, never, undefined> {
    const call = this.watchChanges(options);
    // A browser cannot send the credential along with the handshake.
    const { ticket } = (await this.issueTicket(options)).value;
    const socket = this.transport.open(call, ["caisson.watch.v1", `caisson.ticket.${ticket}`]);
    return yield* messagesOf(socket, call);
  }
}

/** A filter of a list: `filter("state", "eq", "open")`, `filter("size.width", "ge", 12)`. */
export function filter(
  field: string,
  op: "eq" | "ne" | "lt" | "le" | "gt" | "ge" | "prefix",
  value: Extract<Json, null | boolean | number | string>,
): Filter {
  // As JSON, so that the text "12" is not taken for the number.
  return `${field}:${op}:${JSON.stringify(value)}`;
}
