/**
 * Makes tensors and large typed arrays cross a session.
 *
 * @module
 */

import { arrayCodec } from "./array_codec.ts";
import type { TensorPort } from "./port.ts";
import { tensorCodec } from "./tensor_codec.ts";
import type { ValueTypes } from "./types.ts";

/**
 * Register both types.
 *
 * @param types Where custom types are registered.
 * @param port Hands memory over.
 */
export function registerTensors(types: ValueTypes, port: TensorPort): void {
  types.register("tensor", tensorCodec(port));
  types.register("array", arrayCodec(port));
}
