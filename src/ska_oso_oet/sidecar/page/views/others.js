/** The views that the first view needs not: they are loaded when a subarray is looked at. */

import "./activities.js";
import "./compare.js";
import "./health.js";
import "./history.js";
import "./queue.js";
import "./script.js";
import "./scripts.js";
