/**
 * Renders Markdown with version 15 of the npm package marked.
 *
 * @module
 */

import { service } from "@cordon/cordon/plugin";
import { marked } from "npm:marked@15.0.12";
import type { Rendered, Site } from "../site.ts";

/** HTML of a Markdown text. */
export function render(markdown: string): string {
  return String(marked.parse(markdown));
}

/** Renders every page of one of the host's sites, and tells of each as soon as it is done. */
export async function* renderSite(serviceName: string): AsyncGenerator<Rendered> {
  const site = service<Site>(serviceName);
  for (const name of await site.names()) {
    const markdown = await site.read(name);
    const started = performance.now();
    const html = render(markdown);
    const renderMs = performance.now() - started;
    await site.publish(name, html);
    yield { name, renderMs };
  }
}
