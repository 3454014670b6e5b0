/**
 * Handles and texts of a graphics driver.
 *
 * @module
 */

/** How long every handle is. */
export const HANDLE_BYTES = 64;

/**
 * A handle as the driver takes it.
 *
 * @param handle What somebody gave.
 * @returns A copy.
 * @throws {RangeError} If it is no handle.
 */
export function handleBytes(handle: Uint8Array): Uint8Array<ArrayBuffer> {
  if (handle.byteLength === HANDLE_BYTES) return new Uint8Array(handle);
  throw new RangeError(
    `Cannot open a handle as it must have ${HANDLE_BYTES} bytes: it has ${handle.byteLength}`,
  );
}

/**
 * Text that ends with a zero.
 *
 * @param bytes What the driver wrote.
 * @returns The text.
 */
export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}
