use image::{Rgb, RgbImage};

use super::*;
use crate::{
    artifact::Value,
    contract::ParamValue,
    pack::Quality,
    tensor::{Tensor, Tensors},
    testing::{Collected, TestHost, inputs, run_value, tiny_models},
    volume::testing::person,
};

fn invert(models: &Models, set: &[(&str, ParamValue)], host: &TestHost) -> Result<Collected> {
    let (_, reference) = person(models);
    let photo = RgbImage::from_fn(64, 64, |x, y| Rgb([(x * 4) as u8, (y * 4) as u8, 90]));
    let mask = Tensors::new().with("mask", Tensor::f32([1, 1, 16, 16], vec![1.0; 256]).unwrap());
    let ports = vec![
        ("image", Value::Image(photo)),
        ("mask", Value::Tensors(mask)),
        ("coefficients", Value::Tensors(reference)),
    ];
    run_value(&node(), set, &inputs(0, ports), host, models)
}

fn few() -> [(&'static str, ParamValue); 2] {
    [("steps", ParamValue::Int(4)), ("pivot_steps", ParamValue::Int(6))]
}

#[test]
fn gives_an_identity_that_renders_and_curves_of_every_phase() {
    let Some(models) = tiny_models() else { return };
    let host = TestHost::new();
    let out = invert(&models, &few(), &host).unwrap();
    let identity = out.values["identity"].tensors().unwrap();
    for port in &models.session("prepare").unwrap().signature().inputs {
        assert!(identity.0.contains_key(&port.name), "{}", port.name);
    }
    assert!(identity.0.contains_key("coefficients") && !identity.0.contains_key("target"));
    let size = models.pack().unwrap().coefficients().size;
    let coefficients = out.values["coefficients"].tensors().unwrap().get("coefficients").unwrap();
    assert_eq!(coefficients.shape(), [1, size]);
    let curve = out.values["curve"].tensors().unwrap();
    assert_eq!(curve.get("pivot.loss").unwrap().shape(), [6]);
    assert_eq!(curve.get("tune.loss").unwrap().shape(), [4]);
    assert!(host.noted("psnr_db").unwrap().as_f64().unwrap() > 3.0);
    assert_eq!(host.noted("steps").unwrap()["tune"], 4);
    let grown = curve.get("grow.loss").unwrap().shape()[0] as u64;
    assert_eq!(*host.done.lock().unwrap(), (10 + grown, Some(10 + grown)));
}

#[test]
fn a_draft_takes_fewer_steps_and_says_so() {
    let Some(models) = tiny_models() else { return };
    let taken = |set: &[(&str, ParamValue)]| {
        let host = TestHost::new();
        invert(&models, set, &host).unwrap();
        let steps = host.noted("steps").unwrap();
        let numbers = ["pivot", "grow", "tune"].map(|phase| steps[phase].as_u64().unwrap());
        (host.noted("quality").unwrap(), numbers)
    };
    let draft = ("quality", ParamValue::Text("draft".into()));
    let planned = |quality| {
        let phases = models.pack().unwrap().phases("pti").unwrap();
        phases.iter().map(|phase| phase.steps.of(quality)).collect::<Vec<_>>()
    };
    let (quality, steps) = taken(std::slice::from_ref(&draft));
    assert_eq!((quality, steps.as_slice()), ("draft".into(), planned(Quality::Draft).as_slice()));
    assert!(
        planned(Quality::Draft).iter().zip(planned(Quality::Standard)).all(|(draft, more)| *draft < more)
    );
    assert!(planned(Quality::Standard).iter().zip(planned(Quality::Fine)).all(|(less, more)| *less <= more));
    assert_eq!(taken(&[draft, ("steps", ParamValue::Int(3))]).1[2], 3);
}

#[test]
fn the_same_seed_gives_the_same_identity() {
    let Some(models) = tiny_models() else { return };
    let run = |seed| {
        let set = [few().as_slice(), &[("seed", ParamValue::Int(seed))]].concat();
        invert(&models, &set, &TestHost::new()).unwrap().values["identity"].tensors().unwrap().clone()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2), "views are drawn by the seed");
}

#[test]
fn parameters_take_the_place_of_the_packs_numbers() {
    let set = |name: &str, value| crate::testing::params(node().contract(), &[(name, value)]);
    let plain = crate::testing::params(node().contract(), &[]);
    assert_eq!(contract::overrides(&plain, 0, 2).unwrap(), crate::optimise::Overrides::default());
    let threshold = set("threshold", ParamValue::Float(0.5));
    assert_eq!(contract::overrides(&threshold, 0, 2).unwrap().below, None);
    assert_eq!(contract::overrides(&threshold, 1, 2).unwrap().below, Some(0.5));
    let rate = set("pivot_learning_rate", ParamValue::Float(0.5));
    assert_eq!(contract::overrides(&rate, 0, 2).unwrap().learning_rate, Some(0.5));
    assert_eq!(contract::overrides(&rate, 1, 2).unwrap().learning_rate, None);
}

#[test]
fn the_key_holds_graphs_schedule_and_rendering_roles() {
    let Some(models) = tiny_models() else { return };
    let roles = contract::roles(&models).unwrap();
    for role in ["pti.tune.step", "pack.optimisations.pti", "prepare", "upsample", "lipaint", "camera"] {
        assert!(roles.iter().any(|found| found == role), "{role} in {roles:?}");
    }
}
