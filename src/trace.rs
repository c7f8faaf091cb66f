//! What ran when, in the Chrome trace format, for chrome://tracing and Perfetto.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};

use crate::events::{Event, Listener};

/// Collects a trace; clones share it.
#[derive(Clone, Default)]
pub struct Trace(Arc<Mutex<Vec<Value>>>);

impl Trace {
    /// The trace so far, as a JSON file.
    pub fn json(&self) -> Vec<u8> {
        let events = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        json!({ "displayTimeUnit": "ms", "traceEvents": *events }).to_string().into_bytes()
    }
}

impl Listener for Trace {
    fn event(&self, at: Duration, event: &Event) {
        let micros = at.as_secs_f64() * 1e6;
        let entry = match event {
            Event::Finished { node, chunk, lane, device, seconds } => {
                let name = chunk.map_or_else(|| node.to_string(), |chunk| format!("{node} {chunk}"));
                let length = seconds * 1e6;
                let mut entry = json!({
                    "name": name, "cat": &**node, "ph": "X", "pid": 1, "tid": lane,
                    "ts": micros - length, "dur": length,
                });
                if let Some(device) = device {
                    entry["args"] = json!({ "device": &**device });
                }
                entry
            }
            Event::Planned { .. } | Event::Lost { .. } | Event::Failed { .. } | Event::Written { .. } => {
                let args = serde_json::to_value(event).unwrap_or_default();
                let name = args.get("event").cloned().unwrap_or_default();
                json!({ "name": name, "ph": "i", "s": "g", "pid": 1, "tid": 0, "ts": micros, "args": args })
            }
            _ => return,
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }
}
