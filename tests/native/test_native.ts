/** Opens the native library for a test. */

import { type Native, nativeLibraryPath, openNative } from "../../src/native/mod.ts";

/** Why the native library cannot be tested here, or null. */
export const NATIVE_SKIP: string | null = Deno.build.os === "linux"
  ? null
  : `no native library for ${Deno.build.os}`;

/** Fields of a test that needs the native library: its name says why it was skipped. */
export function nativeTest(name: string): { name: string; ignore: boolean } {
  return {
    name: NATIVE_SKIP === null ? name : `${name} [skipped: ${NATIVE_SKIP}]`,
    ignore: NATIVE_SKIP !== null,
  };
}

/** The native library, written to a directory that all tests share. */
export async function testNativePath(): Promise<string> {
  const path = await nativeLibraryPath(`/tmp/cordon-test-cache-${Deno.uid()}`);
  if (path === null) throw new Error("Cannot test the native library as there is none for this processor");
  return path;
}

/** The native library, opened. */
export async function testNative(): Promise<Native> {
  return openNative(await testNativePath());
}
