/**
 * A real SQLite database that lives in the host.
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";

/** A note as it is stored. */
export interface Note {
  readonly id: number;
  readonly text: string;
}

/** Notes in a database. Disposing closes it. */
export class NoteDatabase implements Disposable {
  readonly #database: DatabaseSync;

  /** @param path File of the database, or `":memory:"`. */
  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    this.#database.exec("CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, text TEXT NOT NULL)");
  }

  /** Stores a note. */
  add(text: string): number {
    return Number(this.#database.prepare("INSERT INTO note (text) VALUES (?)").run(text).lastInsertRowid);
  }

  /** Notes that contain a word, the oldest first. */
  search(word: string): Note[] {
    const rows = this.#database.prepare("SELECT id, text FROM note WHERE instr(text, ?) ORDER BY id").all(
      word,
    );
    return rows.map(({ id, text }) => ({ id: Number(id), text: String(text) }));
  }

  /** Deletes every note. The plugin of this example may not call it. */
  clear(): void {
    this.#database.exec("DELETE FROM note");
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}
