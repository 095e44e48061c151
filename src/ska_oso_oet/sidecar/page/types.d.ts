/** Types of the page. They describe what the REST interface sends; only the check of types reads this file. */

export type ProcedureState =
  | "UNKNOWN" | "CREATING" | "IDLE" | "PREP_ENV" | "LOADING" | "READY" | "RUNNING" | "PAUSED"
  | "STOPPED" | "COMPLETE" | "FAILED";

export interface Arguments {
  args: unknown[];
  kwargs: Record<string, unknown>;
}

export interface GitArguments {
  git_repo?: string;
  git_branch?: string;
  git_commit?: string;
}

export interface Script {
  script_type: "filesystem" | "git" | "embedded";
  script_uri?: string;
  git_args?: GitArguments;
  create_env?: boolean;
  script?: string;
}

/** Requester of a request. */
export interface Requester {
  user: string | null;
  client: string | null;
  host: string | null;
  via: string | null;
}

export type Answer = string | number | boolean;

export interface Question {
  id: number;
  procedure_id: number;
  text: string;
  type: "string" | "integer" | "number" | "boolean";
  choices: Answer[] | null;
  unit: string;
  minimum: number | null;
  maximum: number | null;
  default: Answer | null;
  timeout: number | null;
  asked: number;
  deadline: number | null;
}

export interface ProcedureFile {
  name: string;
  size: number;
  kept: boolean;
}

export interface Procedure {
  id: number;
  uri: string;
  script: Script;
  script_args: Record<string, Arguments>;
  history: { process_states: [ProcedureState, number][]; stacktrace: string | null };
  state: ProcedureState;
  created: number;
  subarray_id: number | null;
  requested_by: Requester | null;
  /** Label of the checkpoint that the script has reached last. */
  checkpoint: string | null;
  /** Effect of the next checkpoint. */
  at_checkpoint: "PAUSE" | "STOP" | null;
  queue_entry: number | null;
  result: unknown;
  result_omitted: string | null;
  files: ProcedureFile[];
  files_omitted: number;
  script_sha256: string | null;
  commit: string | null;
  environment: string | null;
  truncated?: string[];
}

/** A Scheduling Block in the ODA, in its newest version. */
export interface SchedulingBlock {
  sbd_id: string;
  version: number;
  changed: number;
  activities: string[];
  activities_omitted: number;
  /** Why it cannot be run; null if it can be read. */
  defect: string | null;
}

export interface SchedulingBlocks {
  sbds: SchedulingBlock[];
  more: boolean;
  /** Why the ODA cannot list any; null if it can. */
  cannot_list: string | null;
}

export interface Activity {
  id: number;
  activity_name: string;
  sbd_id: string;
  procedure_id: number | null;
  state: string;
  reason: string | null;
  activity_states: [string, number][];
  script_args: Record<string, Arguments>;
  queue_entry: number | null;
}

export type QueueState = "STOPPED" | "RUNNING" | "STOPPING" | "PAUSED";

export interface EntryRequest {
  procedure: { script: Script; script_args: Record<string, Arguments> } | null;
  activity: Record<string, any> | null;
  not_before: string | null;
  window: number | null;
  note: string;
  repeat: number;
}

export interface QueueEntry {
  id: number;
  state: string;
  reason: string | null;
  request: EntryRequest;
  added: number;
  added_by: Requester | null;
  procedure_id: number | null;
  activity_id: number | null;
  states: [string, number][];
  rank: number;
}

export interface Queue {
  state: QueueState;
  reason: string | null;
  entries: QueueEntry[];
}

export type Health = "OK" | "DEGRADED" | "FAILED" | "UNKNOWN";

export interface ControllerStatus {
  device: string;
  state: string;
  health_state: Health;
  admin_mode: "ONLINE" | "OFFLINE" | "ENGINEERING" | "NOT_FITTED" | "RESERVED";
  status: string;
  running_procedure: number | null;
  last_procedure: number | null;
  subarray_id: number | null;
  version: string;
}

/** An event of a controller: the fields of its topic are added to these. */
export interface OetEvent {
  seq: number;
  time: number;
  topic: string;
  msg_src: string | null;
  [field: string]: any;
}

export interface Session {
  role: "none" | "viewer" | "operator";
  user: string | null;
  login: boolean;
}

export interface ControllerState {
  status: ControllerStatus;
  procedures: Procedure[];
  activities: Activity[];
  queue: Queue;
  question: Question | null;
}

export interface ControllerSnapshot {
  subarray_id: number;
  device: string;
  available: boolean;
  reason: string | null;
  /** ISO 8601 in UTC. */
  unavailable_since: string | null;
  last_event: number | null;
  state: ControllerState | null;
}

export interface Progress {
  percent: number;
  message: string | null;
  time: number;
}

/** State of a subarray in the page. */
export interface Subarray {
  number: number;
  device: string;
  /** Whether its controller answers; null until that is known. */
  available: boolean | null;
  /** When that has changed, seconds since 1970. */
  availableSince: number;
  /** Since when its controller is unavailable, as the service has found, and why; null if it is available. */
  unavailable: { since: number; reason: string } | null;
  /** Whether the state has been read from its controller. */
  loaded: boolean;
  /** Why the state could not be read; null if it could. */
  error: string | null;
  /** Time of the last report of this controller, seconds since 1970. */
  heard: number;
  status: ControllerStatus | null;
  procedures: Map<number, Procedure>;
  activities: Map<number, Activity>;
  queue: Queue | null;
  /** The question that waits for an answer; the first one, if there are several. */
  question: Question | null;
  progress: Map<number, Progress>;
  /** The newest events, oldest first. */
  events: OetEvent[];
  /** Number of the last event that has been taken; null before the first. */
  lastEvent: number | null;
  /** Number of the newest event before the state was read: that has the effects of all until then. */
  readUntil: number;
}

export interface Connection {
  state: "connecting" | "open" | "lost" | "refused";
  /** When it came into this state, seconds since 1970. */
  since: number;
  reason: string;
}

export interface State {
  connection: Connection;
  session: Session | null;
  /** Whether the service has another version of this page. */
  outdated: boolean;
  /** The subarrays in the order in which the service lists them. */
  subarrays: Map<number, Subarray>;
}

export interface Route {
  view: "overview" | "wall" | "subarray" | "unknown";
  subarray: number | null;
  /** Name of the tab of a subarray. */
  tab: string;
  /** Part of the address after the tab. */
  rest: string[];
}

export interface OutputPart {
  lines: string[];
  next: number;
  dropped: number;
  ended: boolean;
}

/** JSON Schema of a parameter, or of all parameters of a function. */
export interface Schema {
  type?: string;
  enum?: (string | number | boolean | null)[];
  anyOf?: Schema[];
  $ref?: string;
  $defs?: Record<string, Schema>;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  items?: Schema;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  default?: unknown;
  description?: string;
  unit?: string;
  annotation?: string;
  kind?: string;
}

export interface FunctionDescription {
  doc: string | null;
  parameters: Schema;
}

export interface ScriptDescription {
  uri: string | null;
  doc: string | null;
  functions: Record<string, FunctionDescription>;
}

/** An entry of the queue with what is expected of it. */
export interface ShownEntry extends QueueEntry {
  expected_duration: number | null;
  expected_from: { of: string; runs: number } | null;
  estimated_start: number | null;
  estimated_end: number | null;
}
