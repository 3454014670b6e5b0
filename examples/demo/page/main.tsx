/** @jsxImportSource npm:preact@10.27.2 */
/**
 * Puts HTML into a page, with JSX and Preact.
 *
 * @module
 */

import { renderToString } from "npm:preact-render-to-string@6.6.1";
import type { JSX } from "npm:preact@10.27.2";

interface PageProps {
  readonly title: string;
  readonly body: string;
}

function Page({ title, body }: PageProps): JSX.Element {
  return (
    <html lang="en">
      <head>
        <meta charSet="utf-8" />
        <title>{title}</title>
      </head>
      <body dangerouslySetInnerHTML={{ __html: body }} />
    </html>
  );
}

/** A whole page. */
export function page(title: string, body: string): string {
  return `<!DOCTYPE html>${renderToString(<Page title={title} body={body} />)}`;
}
