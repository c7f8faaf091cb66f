use super::*;
use crate::{
    artifact::Value,
    tensor::{Tensor, Tensors},
    testing::{Collected, TestHost, inputs, run_value, tiny_models},
};

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

/// The numbers that a seed draws, given as a file, are the same person; and what else is given takes its place in the identity.
#[test]
fn a_given_latent_stands_for_the_seed_and_other_tensors_for_the_identitys() {
    let Some(models) = tiny_models() else { return };
    let drawn = draw(&models, &[("seed", ParamValue::Int(5))]);
    let z = drawn.values["latent"].tensors().unwrap().get("z").unwrap().clone();
    let from = |given: Tensors| {
        let ports = inputs(0, vec![("given", Value::Tensors(given))]);
        run_value(&node(), &[], &ports, &TestHost::new(), &models)
    };
    let same = from(Tensors::new().with("z", z.clone())).unwrap();
    assert_eq!(same.values["image"].image().unwrap(), drawn.values["image"].image().unwrap());
    let identity = drawn.values["identity"].tensors().unwrap();
    let (name, tensor) = identity.0.iter().find(|(name, _)| *name != "w").unwrap();
    let changed = tensor.as_f32().unwrap().iter().map(|x| x + 0.25).collect();
    let changed = Tensor::f32(tensor.shape(), changed).unwrap();
    let other = from(Tensors::new().with("z", z.clone()).with(name, changed.clone())).unwrap();
    assert_eq!(other.values["identity"].tensors().unwrap().get(name).unwrap(), &changed);
    let error = |given: Tensors| from(given).err().unwrap().to_string();
    assert!(error(Tensors::new()).starts_with("port `given`: tensor `z` is missing"));
    let short = Tensor::f32([1, 3], vec![0.0; 3]).unwrap();
    assert!(error(Tensors::new().with("z", short.clone())).contains("`z`: expected [1,192]"));
    let nose = error(Tensors::new().with("z", z.clone()).with("nose", short.clone()));
    assert_eq!(nose, "port `given`: the pack's identity has no tensor `nose`");
    assert!(error(Tensors::new().with("z", z).with(name, short)).contains(&format!("`{name}`: expected [")));
}
