/**
 * The reviewed list of what a script tries, and of how far it comes.
 *
 * @module
 */

/** An attack of a script. Each outcome is `"works"` or the name and code of the error. */
export interface ScriptTechnique {
  /** Number in the threat list, and what is tried. */
  readonly name: string;
  /** Without any layer. */
  readonly control: string;
  /** In namespaces, behind all layers. */
  readonly namespaces: string;
  /** In namespaces, with Deno's permissions switched off inside: the kernel's layers alone. */
  readonly namespacesOpen: string;
  /** Without any layer but Deno's permissions. */
  readonly permissionsOnly: string;
  /** Behind Landlock, filters and Deno's permissions. */
  readonly landlock: string;
  /** Behind Landlock and filters alone. */
  readonly landlockOpen: string;
}

/** A column that is measured in a sandbox. */
export type ScriptColumn = Exclude<keyof ScriptTechnique, "name" | "control">;

/** One attack a line; the columns are the fields of `ScriptTechnique` in order. */
const TABLE = `
  1 read /etc/passwd                         | works     | NotCapable             | NotFound ENOENT                        | NotCapable             | NotCapable              | PermissionDenied EACCES
  2 read a file of the host                  | works     | NotCapable             | NotFound ENOENT                        | NotCapable             | NotCapable              | PermissionDenied EACCES
  2 read it asynchronously                   | works     | NotCapable             | NotFound ENOENT                        | NotCapable             | NotCapable              | PermissionDenied EACCES
  2 read it through node:fs                  | works     | NotCapable             | Error ENOENT                           | NotCapable             | NotCapable              | Error EACCES
  2 read it through a stream of node:fs      | works     | NotCapable             | Error ENOENT                           | NotCapable             | NotCapable              | Error EACCES
  2 read it through fetch                    | works     | NotCapable             | TypeError ENOENT                       | NotCapable             | NotCapable              | TypeError EACCES
  3 read it through dots                     | works     | NotCapable             | NotFound ENOENT                        | NotCapable             | NotCapable              | PermissionDenied EACCES
  4 read it through a symbolic link          | works     | NotFound ENOENT        | NotFound ENOENT                        | works                  | PermissionDenied EACCES | PermissionDenied EACCES
  4 stat it                                  | works     | NotCapable             | NotFound ENOENT                        | NotCapable             | NotCapable              | works
  4 watch it                                 | works     | NotCapable             | NotFound                               | NotCapable             | NotCapable              | PermissionDenied EPERM
  4 list /                                   | works     | NotCapable             | PermissionDenied EACCES                | NotCapable             | NotCapable              | PermissionDenied EACCES
  7 create a file beside the plugin          | works     | NotCapable             | Error EROFS                            | NotCapable             | NotCapable              | PermissionDenied EACCES
  7 overwrite the plugin                     | works     | NotCapable             | PermissionDenied EACCES or Error EROFS | NotCapable             | NotCapable              | PermissionDenied EACCES
  8 create a file in /dev/shm                | works     | NotCapable             | NotCapable                             | NotCapable             | NotCapable              | NotCapable
  8 create a file in /tmp                    | works     | NotCapable             | NotFound ENOENT                        | NotCapable             | NotCapable              | PermissionDenied EACCES
  8 make a temporary file                    | works     | NotCapable             | NotFound ENOENT                        | NotCapable             | NotCapable              | PermissionDenied EACCES
  9 open /dev/ptmx                           | works     | NotCapable             | NotCapable                             | NotCapable             | NotCapable              | NotCapable
  11 chmod 4755                              | works     | NotCapable             | PermissionDenied EPERM                 | NotCapable             | NotCapable              | PermissionDenied EPERM
  12 link a file of the host                 | works     | NotCapable             | NotCapable                             | NotCapable             | NotCapable              | NotCapable
  15 read the environment of a host process  | works     | NotCapable             | NotCapable                             | NotCapable             | NotCapable              | NotCapable
  15 read /proc/self/maps                    | works     | NotCapable             | NotCapable                             | NotCapable             | NotCapable              | NotCapable
  15 read through /proc/self/root            | works     | NotCapable             | NotCapable                             | NotCapable             | NotCapable              | NotCapable
  16 read mountinfo                          | works     | NotCapable             | NotCapable                             | NotCapable             | NotCapable              | NotCapable
  22 signal a host process                   | works     | NotCapable             | PermissionDenied                       | NotCapable             | NotCapable              | PermissionDenied
  22 signal a host process through node      | works     | NotCapable             | Error EPERM                            | NotCapable             | NotCapable              | Error EPERM
  23 run a shell                             | works     | NotCapable             | PermissionDenied EPERM                 | NotCapable             | NotCapable              | PermissionDenied EPERM
  23 run a shell through node                | works     | NotCapable             | Error EACCES                           | NotCapable             | NotCapable              | Error EACCES
  25 open an inspector                       | works     | NotCapable             | PermissionDenied EPERM                 | NotCapable             | NotCapable              | PermissionDenied EPERM
  54 listen on a port                        | works     | NotCapable             | PermissionDenied EPERM                 | NotCapable             | NotCapable              | PermissionDenied EPERM
  54 listen on a port through node           | works     | NotCapable             | Error EACCES                           | NotCapable             | NotCapable              | Error EACCES
  54 listen on a path                        | works     | NotCapable             | PermissionDenied EPERM                 | NotCapable             | NotCapable              | PermissionDenied EPERM
  55 connect to a service of the host        | works     | NotCapable             | PermissionDenied EPERM                 | NotCapable             | NotCapable              | PermissionDenied EPERM
  55 connect to it through node              | works     | NotCapable             | Error EACCES                           | NotCapable             | NotCapable              | Error EACCES
  55 fetch from it                           | works     | NotCapable             | TypeError EPERM                        | NotCapable             | NotCapable              | TypeError EPERM
  56 fetch, decimal address                  | works     | NotCapable             | TypeError EPERM                        | NotCapable             | NotCapable              | TypeError EPERM
  56 fetch, octal address                    | works     | NotCapable             | TypeError EPERM                        | NotCapable             | NotCapable              | TypeError EPERM
  56 fetch, IPv6 form of the address         | works     | NotCapable             | TypeError EPERM                        | NotCapable             | NotCapable              | TypeError EPERM
  56 fetch by name                           | works     | NotCapable             | TypeError                              | NotCapable             | NotCapable              | TypeError
  57 connect to an abstract socket           | works     | NotCapable             | Error EACCES                           | NotCapable             | NotCapable              | Error EACCES
  58 connect to a socket of the host         | works     | NotCapable             | PermissionDenied EPERM                 | NotCapable             | NotCapable              | PermissionDenied EPERM
  59 look a name up                         | works | Error EPERM | Error EAI_AGAIN | Error EPERM | Error EPERM | Error EAI_AGAIN
  61 import a file as text                   | works     | NotCapable             | TypeError ERR_MODULE_NOT_FOUND         | NotCapable             | NotCapable              | TypeError EACCES
  61 import a file as JSON                   | works     | NotCapable             | TypeError ERR_MODULE_NOT_FOUND         | NotCapable             | NotCapable              | TypeError EACCES
  62 import a module of the host             | works     | NotCapable             | TypeError ERR_MODULE_NOT_FOUND         | NotCapable             | NotCapable              | TypeError EACCES
  62 import it by a computed path            | works     | NotCapable             | TypeError ERR_MODULE_NOT_FOUND         | NotCapable             | NotCapable              | TypeError EACCES
  63 import over the network                 | works     | NotCapable             | NotCapable                             | NotCapable             | NotCapable              | NotCapable
  63 import from JSR                         | TypeError ERR_MODULE_NOT_FOUND | NotCapable             | NotCapable                             | NotCapable             | NotCapable              | NotCapable
  63 import from npm                         | TypeError ERR_MODULE_NOT_FOUND | --no-npm               | --no-npm                               | --no-npm               | --no-npm                | --no-npm
  64 read from a worker                      | works     | NotCapable             | NotFound ENOENT                        | NotCapable             | NotCapable              | PermissionDenied EACCES
  64 open a library from a worker            | works     | NotCapable             | works                                  | NotCapable             | NotCapable              | works
  65 use a configuration of its own         | works | TypeError ERR_MODULE_NOT_FOUND | TypeError ERR_MODULE_NOT_FOUND | TypeError ERR_MODULE_NOT_FOUND | TypeError ERR_MODULE_NOT_FOUND | TypeError ERR_MODULE_NOT_FOUND
  66 load a package that leads out          | Error MODULE_NOT_FOUND | Error MODULE_NOT_FOUND | Error MODULE_NOT_FOUND | Error MODULE_NOT_FOUND | Error MODULE_NOT_FOUND | Error MODULE_NOT_FOUND
  66 require a file of the host             | works | NotCapable | Error MODULE_NOT_FOUND | NotCapable | NotCapable | PermissionDenied EACCES
  67 read a variable of the host             | works     | ReferenceError         | ReferenceError                         | ReferenceError         | ReferenceError          | ReferenceError
  67 read all variables                      | works     | ReferenceError         | ReferenceError                         | ReferenceError         | ReferenceError          | ReferenceError
  67 read it through node                    | works     | ReferenceError         | ReferenceError                         | ReferenceError         | ReferenceError          | ReferenceError
  68 open a library                          | works     | NotCapable             | works                                  | NotCapable             | NotCapable              | works
  68 load an addon                           | TypeError | NotCapable             | TypeError                              | NotCapable             | NotCapable              | TypeError
  68 make a pointer                          | works     | NotCapable             | works                                  | NotCapable             | NotCapable              | works
  68 ask for FFI                             | works     | NotCapable             | works                                  | NotCapable             | NotCapable              | works
  69 run a second runtime                    | works     | NotCapable             | PermissionDenied EPERM                 | NotCapable             | NotCapable              | PermissionDenied EPERM
  70 open a database                         | works     | NotCapable             | Error ERR_SQLITE_ERROR                 | NotCapable             | NotCapable              | Error ERR_SQLITE_ERROR
  70 attach a database                       | works     | Error ERR_SQLITE_ERROR | Error ERR_SQLITE_ERROR                 | Error ERR_SQLITE_ERROR | Error ERR_SQLITE_ERROR  | Error ERR_SQLITE_ERROR
  70 change times of a file of the host      | works     | NotCapable             | NotFound ENOENT                        | NotCapable             | NotCapable              | PermissionDenied EPERM
  91 learn the host's name                   | works     | NotCapable             | RangeError                             | NotCapable             | NotCapable              | works
  91 learn the host's network                | works     | NotCapable             | PermissionDenied EPERM                 | NotCapable             | NotCapable              | PermissionDenied EPERM
  91 learn the host's users                  | works     | NotCapable             | NotFound ENOENT                        | NotCapable             | NotCapable              | PermissionDenied EACCES
`;

/** Every attack. */
export const SCRIPT_TECHNIQUES: readonly ScriptTechnique[] = TABLE.trim().split("\n").map((line) => {
  const cells = line.split("|").map((cell) => cell.trim());
  const [name, control, namespaces, namespacesOpen, permissionsOnly, landlock, landlockOpen] = cells;
  if (cells.length !== 7) {
    throw new Error(`Cannot read the attack "${name}" as it has ${cells.length} columns`);
  }
  return {
    name: name!,
    control: control!,
    namespaces: namespaces!,
    namespacesOpen: namespacesOpen!,
    permissionsOnly: permissionsOnly!,
    landlock: landlock!,
    landlockOpen: landlockOpen!,
  };
});

const NATIVE_CODE =
  "with Deno's permissions off, FFI stays open: what native code can do is the native list's business";
const METADATA = "Landlock does not govern metadata: names, sizes and times of files can be seen";

/** What still works, and why that is so. Everything else must fail. */
export const SCRIPT_EXCEPTIONS: Readonly<Record<ScriptColumn, Readonly<Record<string, string>>>> = {
  namespaces: {},
  namespacesOpen: nativeCode(),
  permissionsOnly: {
    "4 read it through a symbolic link":
      "Deno compares the path that is asked for, not where a link leads: who makes links in a granted directory grants more",
  },
  landlock: {},
  landlockOpen: {
    "4 stat it": METADATA,
    ...nativeCode(),
    "91 learn the host's name": "there is no namespace for it",
  },
};

function nativeCode(): Record<string, string> {
  const names = [
    "64 open a library from a worker",
    "68 open a library",
    "68 make a pointer",
    "68 ask for FFI",
  ];
  return Object.fromEntries(names.map((name) => [name, NATIVE_CODE]));
}
