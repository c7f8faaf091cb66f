use super::*;
use crate::testing::{Collected, TestHost, inputs, run_value, tiny_models};

fn draw(models: &Models, set: &[(&str, ParamValue)]) -> Collected {
    run_value(&node(), set, &inputs(0, vec![]), &TestHost::new(), models).unwrap()
}

#[test]
fn a_seed_is_a_person_and_psi_zero_is_the_average() {
    let Some(models) = tiny_models() else { return };
    let w = |out: &Collected| {
        out.values["latent"].tensors().unwrap().get("w").unwrap().as_f32().unwrap().to_vec()
    };
    let seed = |seed: i64| [("seed", ParamValue::Int(seed))];
    let (one, again, two) = (draw(&models, &seed(1)), draw(&models, &seed(1)), draw(&models, &seed(2)));
    assert_eq!(one.values["image"].image().unwrap(), again.values["image"].image().unwrap());
    assert_ne!(w(&one), w(&two));
    let average =
        |seed: i64| w(&draw(&models, &[("seed", ParamValue::Int(seed)), ("psi", ParamValue::Float(0.0))]));
    assert_eq!(average(1), average(2));
}

#[test]
fn gives_everything_that_later_types_need() {
    let Some(models) = tiny_models() else { return };
    let out = draw(&models, &[("yaw", ParamValue::Float(30.0))]);
    let side = models.pack().unwrap().resolution() as u32;
    assert_eq!(out.values["image"].image().unwrap().dimensions(), (side, side));
    let pose = out.values["pose"].tensors().unwrap().get("pose").unwrap().clone();
    assert_eq!((pose.shape(), pose.as_f32().unwrap()[1]), (&[1, 6][..], 30_f32.to_radians()));
    let identity = out.values["identity"].tensors().unwrap();
    assert!(identity.get("w").is_ok() && identity.get("psi").is_err());
    assert!(crate::volume::prepare(&models, identity).is_ok());
}
