use super::*;
use crate::testing::{TestHost, body, inputs, run_value, tiny_models};

#[test]
fn pose_and_expression_are_where_the_pack_has_them() {
    let Some(models) = tiny_models() else { return };
    let layout = models.pack().unwrap().coefficients();
    let numbers: Vec<f32> = (0..2 * layout.size).map(|i| i as f32).collect();
    let coefficients = Tensors::new().with("coefficients", Tensor::f32([2, layout.size], numbers).unwrap());
    let ports = |port| inputs(0, vec![(port, Value::Tensors(coefficients.clone()))]);
    let host = TestHost::new();
    let value = run_value(&node(), &[], &ports("coefficients"), &host, &models).unwrap();
    let Body::Map(map) = body(&node(), &[], &["sequence"]).unwrap() else { panic!("not a map") };
    let chunk = map.chunk(&ports("sequence"), &Context { host: &host, models: &models }).unwrap();
    for name in ["pose", "expression"] {
        assert_eq!(value.values[name].tensors().unwrap(), chunk[name].tensors().unwrap());
    }
    let pose = chunk["pose"].tensors().unwrap().get("pose").unwrap();
    assert_eq!((pose.shape(), pose.as_f32().unwrap()[0]), (&[2, 6][..], layout.rotation.0 as f32));
    let expression = chunk["expression"].tensors().unwrap().get("expression").unwrap();
    let second = expression.as_f32().unwrap()[layout.expressions()];
    assert_eq!(second, (layout.size + layout.expression.0) as f32);
    let short = Tensors::new().with("coefficients", Tensor::f32([1, 3], vec![0.0; 3]).unwrap());
    let wrong = inputs(0, vec![("coefficients", Value::Tensors(short))]);
    let error = run_value(&node(), &[], &wrong, &host, &models).err().unwrap().to_string();
    assert!(error.starts_with("port `coefficients`: `coefficients`: expected 189 numbers"), "{error}");
}
