use super::*;
use crate::testing::{Collected, TestHost, inputs, params};
use serde_json::json;

#[test]
fn what_is_written_is_what_was_given() {
    let host = TestHost::new();
    let models = crate::models::Models::none();
    let ctx = Context { host: &host, models: &models };
    let value = json!({ "box": [1.5, 2, 3], "score": 0.25, "name": "ä" });
    for (indent, lines) in [(true, 9), (false, 1)] {
        let params = params(node().contract(), &[("indent", ParamValue::Bool(indent))]);
        let Body::Value(mut body) = node().body(&params, node().contract()).unwrap() else {
            panic!("not a value body")
        };
        let mut out = Collected::default();
        body.run(&inputs(0, vec![("json", Value::Json(value.clone()))]), &ctx, &mut out).unwrap();
        let Value::File(file) = &*out.values["file"] else { panic!("not a file") };
        let text = fs::read_to_string(&file.path).unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
        assert_eq!(text.lines().count(), lines, "{text}");
    }
}
