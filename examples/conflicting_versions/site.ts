/**
 * What the renderers of this example use of their host.
 *
 * @module
 */

/** Pages of a site, by name. The renderers have no file access; this is all that they see. */
export interface Site {
  /** Names of the Markdown pages. */
  names(): readonly string[];
  /** Markdown of one page. */
  read(name: string): string;
  /** Hand in the HTML of one page. */
  publish(name: string, html: string): void;
}

/** One page that was rendered. */
export interface Rendered {
  readonly name: string;
  /** Time spent in the library alone, in milliseconds. */
  readonly renderMs: number;
}
