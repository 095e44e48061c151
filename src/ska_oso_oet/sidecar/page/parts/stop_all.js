/** The button for an emergency: it stops what runs in all subarrays. */

import { h } from "../dom/h.js";
import { call } from "../net/api.js";
import { running, scriptName } from "../store/subarray.js";
import { clean, counted } from "../text.js";
import { action, refusal } from "./action.js";
import { ask } from "./dialogs.js";

/** @import { Procedure, Subarray } from "../types" */

const PATIENCE = 90_000;

/**
 * Describe the button; null where nothing runs.
 *
 * @param {Subarray[]} subarrays
 */
export function stopAll(subarrays) {
  const runs = subarrays.flatMap((subarray) => {
    const procedure = running(subarray);
    return procedure ? [{ subarray, procedure }] : [];
  });
  if (runs.length < 2) return null;
  return action({
    name: "stop all",
    label: "Stop and abort all",
    picture: "abort",
    kind: "danger small",
    refused: refusal(),
    run: async () => {
      const content = [
        h("p", null, "Each script is interrupted at once. Then Abort is sent to its subarray. Queues begin no further entry."),
        h("ul", { class: "list" }, runs.map(({ subarray, procedure }) => h("li", null, `Subarray ${subarray.number}: #${procedure.id} ${clean(scriptName(procedure.script))}`))),
      ];
      const title = `Stop and abort the scripts of ${counted(runs.length, "subarray")}?`;
      if ((await ask(title, content, { confirm: "Stop and abort all", danger: true })) === null) return null;
      const problems = (await Promise.all(runs.map(stop))).filter((problem) => problem !== null);
      if (problems.length) throw new Error(problems.join("\n"));
      return `${counted(runs.length, "procedure")} stopped, and Abort was sent.`;
    },
  });
}

/**
 * Stop what runs in a subarray, and return what went wrong; null if nothing did.
 *
 * @param {{subarray: Subarray, procedure: Procedure}} run
 */
async function stop({ subarray, procedure }) {
  const { number } = subarray;
  try {
    const queue = subarray.queue?.state === "RUNNING" ? call(number, "PUT", "/queue", { state: "STOPPED" }) : null;
    const stopping = call(number, "PUT", `/procedures/${procedure.id}`, { state: "STOPPED", abort: true }, PATIENCE);
    const [reply] = await Promise.all([stopping, queue]);
    return reply.aborted === false ? `Subarray ${number}: ${reply.abort_message}` : null;
  } catch (error) {
    return `Subarray ${number}: ${error instanceof Error ? error.message : error}`;
  }
}
