/** The Worker of the RPC benchmark. */

import { expose } from "npm:comlink@4.4.2";
import { echo } from "./rpc_plugin.ts";

expose({ echo });
