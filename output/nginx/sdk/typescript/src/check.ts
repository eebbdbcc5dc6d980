/** Checks of JSON values that find everything that is wrong, each with its JSON pointer. */

/** Any JSON value. Numbers are JavaScript's: integers beyond 2^53 lose digits. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** One thing that is wrong, and where: a JSON pointer (RFC 6901), or the name of a parameter. */
export interface Fault {
  readonly pointer: string;
  readonly detail: string;
}

/** Adds what is wrong with a value at `at` to `faults`. `shape` is there for the compiler alone. */
export interface Check<T> {
  (value: unknown, at: string, faults: Fault[]): void;
  readonly shape?: T;
}

/** Something was about to be sent, or came back, that is not as the document says. */
export class InvalidValue extends Error {
  override readonly name = "InvalidValue";

  constructor(
    what: string,
    readonly faults: readonly Fault[],
  ) {
    super(`${what}: ${faults.map((fault) => `${fault.pointer || "it"} ${fault.detail}`).join("; ")}`);
  }
}

/** Everything that is wrong with `value`; empty when nothing is. */
export function faultsOf<T>(check: Check<T>, value: unknown): Fault[] {
  const faults: Fault[] = [];
  check(value, "", faults);
  return faults;
}

export function isValid<T>(check: Check<T>, value: unknown): value is T {
  return faultsOf(check, value).length === 0;
}

/** The value with its type, or InvalidValue. */
export function parse<T>(check: Check<T>, value: unknown, what = "the value is invalid"): T {
  const faults = faultsOf(check, value);
  if (faults.length > 0) throw new InvalidValue(what, faults);
  return value as T;
}

function segment(name: string | number): string {
  return `/${String(name).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

const loneSurrogate = /\p{Surrogate}/u;

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

export function text<T extends string = string>(rules: { pattern?: RegExp; words?: readonly T[]; hint?: string } = {}): Check<T> {
  return (value, at, faults) => {
    if (typeof value !== "string") {
      faults.push({ pointer: at, detail: "must be a string" });
    } else if (loneSurrogate.test(value)) {
      faults.push({ pointer: at, detail: "has half a surrogate pair" });
    } else if (rules.words !== undefined && !(rules.words as readonly string[]).includes(value)) {
      faults.push({ pointer: at, detail: `must be ${rules.words.join(", ")}` });
    } else if (rules.pattern !== undefined && !rules.pattern.test(value)) {
      faults.push({ pointer: at, detail: rules.hint ?? `must match ${rules.pattern.source}` });
    }
  };
}

export function integer(minimum: number, maximum: number): Check<number> {
  return (value, at, faults) => {
    if (!Number.isInteger(value) || (value as number) < minimum || (value as number) > maximum) {
      faults.push({ pointer: at, detail: `must be an integer from ${minimum} to ${maximum}` });
    }
  };
}

export const truth: Check<true> = (value, at, faults) => {
  if (value !== true) faults.push({ pointer: at, detail: "must be true" });
};

export const flag: Check<boolean> = (value, at, faults) => {
  if (typeof value !== "boolean") faults.push({ pointer: at, detail: "must be true or false" });
};

export function nullable<T>(check: Check<T>): Check<T | null> {
  return (value, at, faults) => {
    if (value !== null) check(value, at, faults);
  };
}

export function list<T>(item: Check<T>, minimum = 0, maximum = Infinity): Check<readonly T[]> {
  return (value, at, faults) => {
    if (!Array.isArray(value)) {
      faults.push({ pointer: at, detail: "must be an array" });
    } else if (value.length < minimum || value.length > maximum) {
      faults.push({ pointer: at, detail: `must have ${minimum} to ${maximum} items` });
    } else {
      for (let i = 0; i < value.length; ++i) item(value[i], at + segment(i), faults);
    }
  };
}

/** Members by name, required or not; `closed` refuses all others. */
export function object<T>(
  required: { readonly [name: string]: Check<unknown> },
  optional: { readonly [name: string]: Check<unknown> } = {},
  closed = false,
): Check<T> {
  const known = new Map([...Object.entries(required), ...Object.entries(optional)]);
  return (value, at, faults) => {
    if (!isPlain(value)) {
      faults.push({ pointer: at, detail: "must be an object" });
      return;
    }
    for (const [name, check] of known) {
      if (Object.hasOwn(value, name)) {
        check(value[name], at + segment(name), faults);
      } else if (Object.hasOwn(required, name)) {
        faults.push({ pointer: at + segment(name), detail: "is missing" });
      }
    }
    if (!closed) return;
    for (const name of Object.keys(value)) {
      if (!known.has(name)) faults.push({ pointer: at + segment(name), detail: "does not belong here" });
    }
  };
}

/** One of several objects, told apart by the text of the member `tag`. */
export function tagged<T>(tag: string, variants: { readonly [word: string]: Check<T> }): Check<T> {
  return (value, at, faults) => {
    if (!isPlain(value)) {
      faults.push({ pointer: at, detail: "must be an object" });
      return;
    }
    const word = Object.hasOwn(value, tag) ? value[tag] : undefined;
    const check = typeof word === "string" && Object.hasOwn(variants, word) ? variants[word] : undefined;
    if (check === undefined) {
      faults.push({ pointer: at + segment(tag), detail: `must be ${Object.keys(variants).join(", ")}` });
    } else {
      check(value, at, faults);
    }
  };
}

/** One of several; what is wrong is told as of the first. */
export function either<T>(first: Check<T>, ...others: readonly Check<T>[]): Check<T> {
  return (value, at, faults) => {
    if (others.some((check) => isValid(check, value))) return;
    first(value, at, faults);
  };
}

/** A JSON object with any members, at most `deepest` levels deep, the object itself being the first. */
export function json(deepest: number): Check<{ readonly [name: string]: Json }> {
  const walk = (value: unknown, at: string, levels: number, faults: Fault[]): void => {
    if (typeof value === "string") {
      if (loneSurrogate.test(value)) faults.push({ pointer: at, detail: "has half a surrogate pair" });
    } else if (typeof value === "number") {
      if (!Number.isFinite(value)) faults.push({ pointer: at, detail: "is no JSON number" });
    } else if (Array.isArray(value) || isPlain(value)) {
      if (levels === 0) {
        faults.push({ pointer: at, detail: `is more than ${deepest} levels deep` });
      } else if (Array.isArray(value)) {
        for (let i = 0; i < value.length; ++i) walk(value[i], at + segment(i), levels - 1, faults);
      } else {
        for (const name of Object.keys(value)) {
          if (loneSurrogate.test(name)) faults.push({ pointer: at, detail: "has half a surrogate pair in a name" });
          walk(value[name], at + segment(name), levels - 1, faults);
        }
      }
    } else if (value !== null && typeof value !== "boolean") {
      faults.push({ pointer: at, detail: "is no JSON value" });
    }
  };
  return (value, at, faults) => {
    if (isPlain(value)) {
      walk(value, at, deepest, faults);
    } else {
      faults.push({ pointer: at, detail: "must be an object" });
    }
  };
}
