/** Requests and answers: credentials, checks, deadlines, retries and errors. */

import { type Check, faultsOf, type Fault, InvalidValue, isValid, parse, text } from "./check.js";
import { deployment } from "./deployment.js";
import { ApiProblem, errorFor } from "./problems.js";
import type { Problem } from "./types.js";
import { checkProblem, checkSlug } from "./validators.js";

export interface ClientOptions {
  /** Slug of the tenant. Names its host, and is sent as the header Caisson-Tenant where that counts. */
  readonly tenant: string;
  /** An API key or a token, or what gives one whenever one is needed. */
  readonly credential: string | (() => string | Promise<string>);
  /** Where the tenant answers, when not at its host of this deployment. */
  readonly baseUrl?: string;
  /** How often a request is sent again after 429, 503 or a lost connection. 3 without it. */
  readonly retries?: number;
  /** The longest wait between two tries, in milliseconds. A longer Retry-After is an error at once. 30 s without it. */
  readonly longestWaitMs?: number;
  /** The longest time for one try, in milliseconds. 30 s without it. */
  readonly timeoutMs?: number;
  /** Instead of the global fetch. */
  readonly fetch?: typeof fetch;
  /** Instead of the global WebSocket, which Node.js has from 22 on. */
  readonly webSocket?: typeof WebSocket;
}

export interface RequestOptions {
  readonly signal?: AbortSignal;
}

/** What came back. */
export interface Answer<T> {
  readonly value: T;
  readonly status: number;
  readonly requestId: string;
  /** The version of the record, for If-Match and If-None-Match. */
  readonly etag: string | undefined;
  /** An answer of before, given again to the same Idempotency-Key. */
  readonly replayed: boolean;
}

export interface Parameter {
  readonly in: "path" | "query" | "field";
  readonly name: string;
  readonly value: unknown;
  readonly check: Check<unknown>;
}

/** What is asked of which path. */
interface Target {
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly body?: { readonly value: unknown; readonly check: Check<unknown> };
}

/** A request as an operation describes it. */
export interface Call<T> extends Target {
  readonly method: string;
  readonly status: number;
  /** Null: there is no content. */
  readonly answer: Check<T> | null;
  readonly signal: AbortSignal | undefined;
}

/** A WebSocket as an operation describes it. */
export interface SocketCall<T> extends Target {
  readonly message: Check<T>;
  readonly signal: AbortSignal | undefined;
}

/** The answer to If-None-Match when the record still has that version. */
export class NotModified extends Error {
  override readonly name = "NotModified";
}

/** The request could not be sent, or its answer did not come. */
export class ConnectionFailed extends Error {
  override readonly name = "ConnectionFailed";
}

/** The answer is none of this API: of a proxy in between, perhaps. */
export class UnexpectedAnswer extends Error {
  override readonly name = "UnexpectedAnswer";

  constructor(
    readonly status: number,
    readonly faults: readonly Fault[] = [],
  ) {
    super(`an answer that is not of this API: status ${status}`);
  }
}

const firstWaitMs = 200;

// Checked here, because the platform's own message would show it.
const checkCredential = text({ pattern: /^[!-~]+$/u, hint: "must be visible ASCII characters, without a line's end" });

export class Transport {
  private readonly base: string;
  private readonly retries: number;
  private readonly longestWaitMs: number;

  constructor(private readonly options: ClientOptions) {
    const tenant = parse(checkSlug, options.tenant, "the tenant is invalid");
    this.base = (options.baseUrl ?? deployment.baseUrl(tenant)).replace(/\/+$/, "");
    this.retries = options.retries ?? 3;
    this.longestWaitMs = options.longestWaitMs ?? 30_000;
  }

  /** Sends the request until it is answered or there is no point in going on. */
  async send<T>(call: Call<T>): Promise<Answer<T>> {
    const request = await this.request(call);
    for (let attempt = 0; ; ++attempt) {
      const last = attempt >= this.retries;
      const response = await this.once(request, call.signal, last);
      if (response !== undefined) {
        const again = !last && (response.status === 429 || response.status === 503);
        const wait = this.waitAfter(response, attempt);
        if (!again || wait > this.longestWaitMs) return await this.read(response, call);
        await response.body?.cancel();
        await pause(wait, call.signal);
      } else {
        await pause(this.backOff(attempt), call.signal);
      }
    }
  }

  /** Opens a WebSocket; what it tells is for the caller. Nothing but the protocols can carry a credential. */
  open<T>(call: SocketCall<T>, protocols: readonly string[]): WebSocket {
    const { url } = this.target(call);
    return new (this.options.webSocket ?? WebSocket)(url.replace(/^http/, "ws"), [...protocols]);
  }

  /** Where a request goes, and the fields that its parameters are. */
  private target(call: Target): { url: string; headers: Record<string, string> } {
    const given = call.parameters.flatMap(({ in: place, name, value, check }) =>
      (Array.isArray(value) ? (value as unknown[]) : value === undefined ? [] : [value]).map((each) => ({ place, name, each, check })),
    );
    const faults: Fault[] = [];
    for (const { name, each, check } of given) check(each, name, faults);
    if (call.body !== undefined) faults.push(...faultsOf(call.body.check, call.body.value));
    if (faults.length > 0) throw new InvalidValue("the request is invalid", faults);
    const headers: Record<string, string> = {};
    const query = new URLSearchParams();
    let path = call.path;
    for (const { place, name, each } of given) {
      const text = String(each);
      if (place === "path") path = path.replace(`{${name}}`, () => encodeURIComponent(text));
      if (place === "query") query.append(name, text);
      if (place === "field") headers[name] = text;
    }
    const asked = query.toString();
    return { url: this.base + path + (asked === "" ? "" : `?${asked}`), headers };
  }

  private async request<T>(call: Call<T>): Promise<{ url: string; init: RequestInit }> {
    const { url, headers } = this.target(call);
    headers["Accept"] = "application/json, application/problem+json";
    if (deployment.signals.includes("header")) headers["Caisson-Tenant"] = this.options.tenant;
    // A write that is sent twice happens once.
    if (call.parameters.some(({ name }) => name === "Idempotency-Key")) headers["Idempotency-Key"] ??= crypto.randomUUID();
    const given = this.options.credential;
    const credential = parse(checkCredential, typeof given === "string" ? given : await given(), "the credential is invalid");
    headers["Authorization"] = `Bearer ${credential}`;
    const init: RequestInit = { method: call.method, headers, redirect: "error" };
    if (call.body !== undefined) {
      headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(call.body.value);
    }
    return { url, init };
  }

  /** One try; undefined when it is worth another. */
  private async once(
    { url, init }: { url: string; init: RequestInit },
    signal: AbortSignal | undefined,
    last: boolean,
  ): Promise<Response | undefined> {
    const deadline = AbortSignal.timeout(this.options.timeoutMs ?? 30_000);
    const either = new AbortController();
    const stop = (event: Event): void => either.abort((event.target as AbortSignal).reason);
    deadline.addEventListener("abort", stop, { once: true });
    signal?.addEventListener("abort", stop, { once: true });
    try {
      signal?.throwIfAborted();
      const response = await (this.options.fetch ?? fetch)(url, { ...init, signal: either.signal });
      const body = response.status === 204 || response.status === 304 ? null : await response.arrayBuffer();
      return new Response(body, { status: response.status, headers: response.headers });
    } catch (error) {
      signal?.throwIfAborted();
      if (last) throw new ConnectionFailed(`no answer from ${new URL(url).host}`, { cause: error });
      return undefined;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  /** How long the server asks to wait, in milliseconds. */
  private waitAfter(response: Response, attempt: number): number {
    const text = response.headers.get("Retry-After") ?? "";
    if (/^\d+$/.test(text)) return Number(text) * 1000;
    const date = Date.parse(text);
    return Number.isNaN(date) ? this.backOff(attempt) : Math.max(0, date - Date.now());
  }

  /** Twice as long every time, and never the same for two clients. */
  private backOff(attempt: number): number {
    return Math.min(this.longestWaitMs, firstWaitMs * 2 ** attempt * (0.5 + Math.random() / 2));
  }

  private async read<T>(response: Response, call: Call<T>): Promise<Answer<T>> {
    if (response.status === 304) throw new NotModified("the record still has this version");
    if (response.status !== call.status) throw await problemOf(response);
    let value: unknown = undefined;
    if (call.answer !== null) {
      const received: unknown = await response.json().catch(() => undefined);
      const faults = faultsOf(call.answer, received);
      if (faults.length > 0) throw new UnexpectedAnswer(response.status, faults);
      value = received;
    }
    return {
      value: value as T,
      status: response.status,
      requestId: response.headers.get("Caisson-Request-Id") ?? "",
      etag: response.headers.get("ETag") ?? undefined,
      replayed: response.headers.get("Idempotency-Replayed") === "true",
    };
  }
}

async function problemOf(response: Response): Promise<ApiProblem | UnexpectedAnswer> {
  const body: unknown = await response.json().catch(() => undefined);
  if (!isValid(checkProblem, body)) return new UnexpectedAnswer(response.status);
  return errorFor(parse<Problem>(checkProblem, body));
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal?.aborted === true) stop();
    signal?.addEventListener("abort", stop, { once: true });
  });
}
