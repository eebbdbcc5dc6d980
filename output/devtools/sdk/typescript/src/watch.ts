/** The messages of a WebSocket, one after another. */

import { isValid } from "./check.js";
import { type SocketCall, UnexpectedAnswer } from "./transport.js";

/** The watch has ended, or could not be opened. docs/runtime.md of Caisson tells the codes. */
export class WatchEnded extends Error {
  override readonly name = "WatchEnded";

  constructor(
    readonly code: number,
    readonly reason: string,
  ) {
    super(`the watch ended with ${code}${reason === "" ? "" : `: ${reason}`}`);
  }
}

/** Until the socket closes, which is an error: WatchEnded. Whoever stops reading closes it. */
export async function* messagesOf<T>(socket: WebSocket, call: SocketCall<T>): AsyncGenerator<T, never, undefined> {
  const waiting: unknown[] = [];
  let ended: Error | undefined;
  let wake = (): void => undefined;
  const end = (error: Error): void => {
    ended ??= error;
    wake();
  };
  const stop = (): void => end(call.signal?.reason as Error);
  socket.onmessage = (event): void => {
    waiting.push(event.data);
    wake();
  };
  socket.onclose = (event): void => end(new WatchEnded(event.code, event.reason));
  call.signal?.addEventListener("abort", stop, { once: true });
  if (call.signal?.aborted === true) stop();
  try {
    for (;;) {
      while (waiting.length > 0) yield parsed(waiting.shift(), call);
      if (ended !== undefined) throw ended;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    call.signal?.removeEventListener("abort", stop);
    socket.close();
  }
}

function parsed<T>(data: unknown, call: SocketCall<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(String(data));
  } catch {
    value = undefined;
  }
  if (!isValid(call.message, value)) throw new UnexpectedAnswer(101);
  return value;
}
