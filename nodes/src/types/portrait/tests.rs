use super::*;
use crate::{
    testing::{Collected, TestHost, inputs, run_value, tiny_models},
    types::sample,
};

#[test]
fn a_drawn_person_is_shown_as_it_was_drawn() {
    let Some(models) = tiny_models() else { return };
    let turn = [("yaw", ParamValue::Float(20.0))];
    let run = |node: &dyn NodeType, ports: Vec<(&str, Value)>| -> Collected {
        run_value(node, &turn, &inputs(0, ports), &TestHost::new(), &models).unwrap()
    };
    let drawn = run(&sample::node(), vec![]);
    let identity = drawn.values["identity"].tensors().unwrap().clone();
    let shown = run(&node(), vec![("identity", Value::Tensors(identity.clone()))]);
    assert_eq!(shown.values["image"].image().unwrap(), drawn.values["image"].image().unwrap());
    assert_eq!(shown.values["pose"].tensors().unwrap(), drawn.values["pose"].tensors().unwrap());
    let ports = inputs(0, vec![("identity", Value::Tensors(identity))]);
    let front = run_value(&node(), &[], &ports, &TestHost::new(), &models).unwrap();
    assert_ne!(front.values["image"].image().unwrap(), drawn.values["image"].image().unwrap());
}
