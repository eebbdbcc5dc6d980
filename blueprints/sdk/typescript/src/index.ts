export { Client, filter } from "./client.js";
export { type Check, type Fault, faultsOf, InvalidValue, isValid, type Json, parse } from "./check.js";
export { deployment } from "./deployment.js";
export type * from "./operations.js";
export * from "./problems.js";
export {
  type Answer,
  type ClientOptions,
  ConnectionFailed,
  NotModified,
  type RequestOptions,
  UnexpectedAnswer,
} from "./transport.js";
export type * from "./types.js";
export * from "./validators.js";
export { WatchEnded } from "./watch.js";
