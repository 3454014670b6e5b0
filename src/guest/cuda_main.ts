/**
 * Entry of the script that only guests with a GPU evaluate.
 *
 * @module
 */

export { openGuestCuda } from "../tensor/cuda/guest_cuda.ts";
