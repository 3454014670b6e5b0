/**
 * What a host tells whoever listens: the life of its plugins and their calls.
 *
 * @module
 */

import type { Tier } from "../policy/types.ts";
import { quote } from "../util/quote.ts";
import { Hooks } from "./hooks.ts";
import type { ReloadEvent } from "./hot_reload.ts";
import type { PermissionEvent } from "./permission_event.ts";
import type { PluginStatus } from "./status.ts";

/** Names of a host's events, and what their listeners get. */
export interface HostEvents {
  /** A plugin is about to be bundled and started. */
  readonly "before-load": { readonly plugin: string; readonly entry: string };
  /** Something in a plugin's code would fail when it is reached: a native add-on, a dynamic require. */
  readonly warning: { readonly plugin: string; readonly text: string };
  /** A debugger may be attached to a plugin, at a WebSocket address that is to be kept secret. */
  readonly inspector: { readonly plugin: string; readonly url: string };
  /** A plugin answers calls for the first time. */
  readonly loaded: { readonly plugin: string };
  /** A process of a plugin was started; nothing of the plugin has run. */
  readonly spawned: { readonly plugin: string; readonly pid: number; readonly tier: Tier };
  /** A process of a plugin answers calls. */
  readonly ready: { readonly plugin: string; readonly pid: number; readonly startMs: number };
  /** A plugin printed a line; control characters are escaped. */
  readonly output: {
    readonly plugin: string;
    readonly stream: "stdout" | "stderr";
    readonly line: string;
  };
  /** It was decided what a plugin may do: by its permission broker, if it has one, or by the proxy of its network. */
  readonly permission: PermissionEvent;
  /** A plugin's state changed. */
  readonly status: { readonly plugin: string; readonly status: PluginStatus };
  /** A call is about to be made. `args` belong to the caller. */
  readonly "before-call": {
    readonly plugin: string;
    readonly method: string;
    readonly args: readonly unknown[];
  };
  /** A call has ended; `error` is `null` when it returned. */
  readonly "after-call": {
    readonly plugin: string;
    readonly method: string;
    readonly durationMs: number;
    readonly error: unknown;
  };
  /** Something happened to the hot reload of a plugin. */
  readonly reload: {
    readonly plugin: string;
    /** Which of several plugins of that name: the object that `host.load()` gave. */
    readonly source: object;
    readonly event: ReloadEvent;
  };
  /** Nothing is left of a plugin. */
  readonly unloaded: { readonly plugin: string };
  /**
   * A listener threw or rejected; what it throws itself goes nowhere. With `plugin` it is a handler of that plugin's
   * events, an `onProgress`, or a value from there that nobody waits for and that cannot be made.
   */
  readonly "listener-error": {
    readonly event: string;
    readonly error: unknown;
    readonly plugin?: string;
  };
}

const eventNames: Readonly<Record<keyof HostEvents, true>> = {
  "before-load": true,
  warning: true,
  inspector: true,
  loaded: true,
  spawned: true,
  ready: true,
  output: true,
  permission: true,
  status: true,
  "before-call": true,
  "after-call": true,
  reload: true,
  unloaded: true,
  "listener-error": true,
};

/**
 * Refuses a name that no event has: whoever listened to it would wait for ever.
 *
 * @param name What somebody wants to listen to.
 * @throws {TypeError} If there is no such event.
 */
export function checkEventName(name: string): void {
  if (Object.hasOwn(eventNames, name)) return;
  const names = Object.keys(eventNames).map(quote).join(", ");
  throw new TypeError(`Cannot listen to ${quote(name)} as a host's events are ${names}: it is none of them`);
}

/** Listeners of one host. */
export type HostHooks = Hooks<HostEvents>;

/**
 * Makes the listeners of a host.
 *
 * @returns Hooks whose errors are an event themselves.
 */
export function hostHooks(): HostHooks {
  const hooks: HostHooks = new Hooks<HostEvents>((error, event) => {
    if (event !== "listener-error") hooks.emit("listener-error", { event, error });
  });
  return hooks;
}
