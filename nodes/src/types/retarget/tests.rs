use super::*;
use crate::{
    artifact::Value,
    contract::ParamValue,
    tensor::{Tensor, Tensors},
    testing::{TestHost, inputs, run_chunks, tiny_models},
};

/// Two frames in which the driver opens the jaw by 0.5 and then looks left, nearer and to the right.
fn motion(models: &Models) -> Tensors {
    let names = models.pack().unwrap().expression();
    let at = |name: &str| names.iter().position(|one| one == name).unwrap();
    let size = names.len();
    let mut expression = vec![0.0f32; 2 * size];
    expression[at("jawOpen")] = 0.5;
    expression[at("mouthSmileLeft")] = 0.8;
    expression[size + at("eyeLookInLeft")] = 0.4;
    expression[size + at("browInnerUp")] = 0.3;
    let rows = |a: [f32; 3], b: [f32; 3]| Tensor::f32([2, 3], [a, b].concat()).unwrap();
    Tensors::new()
        .with("expression", Tensor::f32([2, size], expression).unwrap())
        .with("rotation", rows([0.1, 0.2, 0.0], [0.1, 0.3, -0.1]))
        .with("rest", rows([0.1, 0.1, 0.0], [0.1, 0.1, 0.0]))
        .with("place", rows([0.0, 0.0, 0.0], [0.1, -0.9, 0.2]))
        .with("shot", Tensor::i64([2], vec![0, 0]).unwrap())
}

/// A person at rest: smiles by 0.6 on the left, nods by 0.2.
fn person(models: &Models) -> Vec<f32> {
    let pack = models.pack().unwrap();
    let layout = pack.coefficients();
    let mut row = vec![0.25; layout.size];
    let mut expression = vec![0.0; layout.expressions()];
    expression[pack.expression().iter().position(|name| name == "mouthSmileLeft").unwrap()] = 0.6;
    layout.set_expression(&mut row, &expression).unwrap();
    layout.set_pose(&mut row, &[0.2, 0.0, 0.0, 0.0, 0.0, 0.0]).unwrap();
    row
}

struct Out {
    names: Vec<String>,
    expression: Vec<f32>,
    pose: Vec<f32>,
    coefficients: Vec<f32>,
}

impl Out {
    fn at(&self, frame: usize, name: &str) -> f32 {
        self.expression[frame * self.names.len() + self.names.iter().position(|one| one == name).unwrap()]
    }
}

fn retarget(models: &Models, set: &[(&str, ParamValue)]) -> Out {
    let reference = person(models);
    let reference =
        Tensors::new().with("coefficients", Tensor::f32([1, reference.len()], reference).unwrap());
    let ports = vec![("motion", Value::Tensors(motion(models))), ("reference", Value::Tensors(reference))];
    let chunks = run_chunks(&node(), set, &[inputs(0, ports)], &TestHost::new(), models).unwrap();
    let read = |name: &str| chunks[0][name].tensors().unwrap().get(name).unwrap().as_f32().unwrap().to_vec();
    Out {
        names: models.pack().unwrap().expression().to_vec(),
        expression: read("expression"),
        pose: read("pose"),
        coefficients: read("coefficients"),
    }
}

fn near(a: f32, b: f32) -> bool {
    (a - b).abs() < 1e-5
}

#[test]
fn what_the_driver_does_is_added_to_the_person_at_rest_within_bounds() {
    let Some(models) = tiny_models() else { return };
    let out = retarget(&models, &[]);
    let [_, high] = models.pack().unwrap().expression_bounds().unwrap();
    assert!(near(out.at(0, "jawOpen"), 0.5) && near(out.at(1, "jawOpen"), 0.0));
    let most = f32::max(high, 0.6 + 0.5 * high);
    assert!(
        near(out.at(0, "mouthSmileLeft"), most) && near(out.at(1, "mouthSmileLeft"), 0.6),
        "0.6 + 0.8 is too much"
    );
    assert!(near(out.at(1, "eyeLookInLeft"), 0.4));
    assert_eq!(out.pose[..6], [0.1, 0.2, 0.0, 0.0, 0.0, 0.0]);
    // Nothing of the driver's looks: identity and texture are the person's.
    let layout = models.pack().unwrap().coefficients().clone();
    let mut person = person(&models);
    layout.set_expression(&mut person, &out.expression[..layout.expressions()]).unwrap();
    layout.set_pose(&mut person, &[0.1, 0.2, 0.0, 0.0, 0.0, 0.0]).unwrap();
    assert_eq!(out.coefficients[..layout.size], person);
}

#[test]
fn regions_have_gains_and_the_expression_can_be_taken_as_it_is() {
    let Some(models) = tiny_models() else { return };
    let gain = |name, x| (name, ParamValue::Float(x));
    let out = retarget(&models, &[gain("mouth", 0.5), gain("gaze", 2.0), gain("brows", 0.0)]);
    assert!(
        near(out.at(0, "jawOpen"), 0.25)
            && near(out.at(1, "eyeLookInLeft"), 0.8)
            && near(out.at(1, "browInnerUp"), 0.0)
    );
    let out = retarget(&models, &[("expression", ParamValue::Text("absolute".into()))]);
    assert!(near(out.at(0, "mouthSmileLeft"), 0.8) && near(out.at(1, "mouthSmileLeft"), 0.0));
}

#[test]
fn shut_lids_shut_eyes_that_rest_wide_open_or_half_shut() {
    let lid = body::Channel::lid(1.0);
    for rest in [-0.4, 0.0, 0.3] {
        assert!(near(lid.moved(rest, 1.0), 1.0) && near(lid.moved(rest, 0.0), rest), "{rest}");
        assert!(near(lid.moved(rest, 0.5), (rest.max(0.0) + 1.0) / 2.0), "{rest}");
    }
}

#[test]
fn the_head_turns_as_the_drivers_or_by_as_much() {
    let Some(models) = tiny_models() else { return };
    let relative = ("rotation", ParamValue::Text("relative".into()));
    let out = retarget(&models, &[relative, ("head", ParamValue::Float(0.5))]);
    assert!(
        near(out.pose[0], 0.2)
            && near(out.pose[1], 0.05)
            && near(out.pose[7], 0.1)
            && near(out.pose[8], -0.05)
    );
}

#[test]
fn the_head_moves_in_the_picture_as_the_drivers_no_farther_than_allowed() {
    let Some(models) = tiny_models() else { return };
    let set = [
        ("place", ParamValue::Float(1.0)),
        ("nearness", ParamValue::Float(1.0)),
        ("farthest", ParamValue::Float(0.25)),
    ];
    let out = retarget(&models, &set);
    assert!(out.pose[3..6].iter().all(|&x| x == 0.0));
    // Where the middle of the head is seen, and how large, by the camera that draws it.
    let pose: [f32; 6] = std::array::from_fn(|k| if k < 3 { 0.0 } else { out.pose[6 + k] });
    let seen = |pose: [f32; 6]| {
        let camera = crate::volume::Camera::at(&models, pose).unwrap();
        let side = camera.side() as f64;
        let pinhole = crate::volume::Pinhole::of(&camera).unwrap();
        let at = |point: [f32; 3]| pinhole.project(point).0.map(|x| x / (side / 2.0));
        let ([x, y], [right, _]) = (at([0.0; 3]), at([0.1, 0.0, 0.0]));
        [x, y, right - x]
    };
    let (before, after) = (seen([0.0; 6]), seen(pose));
    assert!((after[0] - before[0] - 0.1).abs() < 2e-3, "right {}", after[0] - before[0]);
    assert!((after[1] - before[1] - 0.25).abs() < 2e-3, "down, held back {}", after[1] - before[1]);
    assert!(((after[2] / before[2]).ln() - 0.2).abs() < 5e-3, "nearer {}", after[2] / before[2]);
}
