use talkgraph_nodes::tensor::Tensor;

use super::*;

fn errors(found: &[f32], expected: &[f32]) -> Errors {
    let tensor = |data: &[f32]| Tensor::f32([data.len()], data.to_vec()).unwrap();
    Errors::between(&tensor(found), &tensor(expected)).unwrap()
}

#[test]
fn distances_and_the_ratio_to_the_range() {
    let found = errors(&[0.0, 1.0, 4.5, 2.0], &[0.0, 1.0, 4.0, 2.0]);
    assert_eq!((found.largest, found.mean), (0.5, 0.125));
    // The range is 4, the root of the mean square 0.25.
    assert!((found.psnr - 20.0 * 16.0f64.log10()).abs() < 1e-9, "{found:?}");
    assert_eq!(errors(&[3.0], &[3.0]).psnr, f64::INFINITY);
    assert_eq!(errors(&[3.0], &[2.0]).psnr, f64::NEG_INFINITY);
}

#[test]
fn what_is_not_finite_fails_unless_it_is_expected() {
    let wrong = errors(&[f32::NAN, 1.0], &[0.0, 1.0]);
    assert_eq!(wrong.largest, f64::INFINITY);
    assert!(!Limit::Max { tolerance: 1e9 }.allows(&wrong) && !Limit::Psnr { least: 0.0 }.allows(&wrong));
    let expected = errors(&[f32::NEG_INFINITY, f32::NAN], &[f32::NEG_INFINITY, f32::NAN]);
    assert!(Limit::Max { tolerance: 0.0 }.allows(&expected));
    assert!(Limit::Psnr { least: 100.0 }.allows(&expected));
}

#[test]
fn shapes_must_agree() {
    let tensor = |shape: [usize; 2]| Tensor::f32(shape, vec![0.0; 6]).unwrap();
    let error = Errors::between(&tensor([2, 3]), &tensor([3, 2])).unwrap_err();
    assert_eq!(error.to_string(), "shape [2, 3], [3, 2] is recorded");
}
