use super::*;
use crate::{home::SETUP, tensor::Tensor};

/// The face detector that set-up made, on the CPU; `None`, with the reason printed, before set-up.
fn detector() -> Option<(Runtime, ModelFile)> {
    let home = Home::find();
    let path = match (home.network("face_detector.onnx"), home.library()) {
        (Ok(path), Ok(_)) => path,
        (Err(error), _) | (_, Err(error)) => {
            eprintln!("skipped: {error}");
            return None;
        }
    };
    Some((Runtime::new(home, DeviceChoice::Cpu).unwrap(), ModelFile::at(&path).unwrap()))
}

fn picture(side: usize) -> Tensors {
    Tensors::new().with("image", Tensor::f32([1, side, side, 3], vec![0.0; side * side * 3]).unwrap())
}

#[test]
fn runs_by_name_and_ignores_what_the_model_does_not_declare() {
    let Some((runtime, model)) = detector() else { return };
    let inputs = picture(128).with("other", Tensor::f32([1], vec![0.0]).unwrap());
    let outputs = runtime.session(&model).unwrap().run(&inputs).unwrap();
    assert_eq!(outputs.get("boxes").unwrap().shape(), [1, 896, 16]);
    assert_eq!(outputs.get("scores").unwrap().shape(), [1, 896, 1]);
}

#[test]
fn checks_inputs_before_running() {
    let Some((runtime, model)) = detector() else { return };
    let session = runtime.session(&model).unwrap();
    let message = |inputs: &Tensors| session.run(inputs).unwrap_err().to_string();
    assert_eq!(
        message(&Tensors::new()),
        "model face_detector.onnx: input `image` (f32 [1,128,128,3]) is missing, offered: "
    );
    assert_eq!(
        message(&picture(64)),
        "model face_detector.onnx: input `image`: expected f32 [1,128,128,3], found f32 [1,64,64,3]"
    );
    let bytes = Tensors::new().with("image", Tensor::u8([1, 128, 128, 3], vec![0; 49152]).unwrap());
    assert!(message(&bytes).ends_with("found u8 [1,128,128,3]"));
}

#[test]
fn values_give_what_tensors_give() {
    let Some((runtime, model)) = detector() else { return };
    let session = runtime.session(&model).unwrap();
    let values = session.run_values(&runtime.values(&picture(128)).unwrap()).unwrap();
    assert_eq!(values.tensors().unwrap(), session.run(&picture(128)).unwrap());
    assert!(values.scalar("boxes").unwrap_err().to_string().contains("expected one number"));
    assert!(session.run_values(&Values::new()).err().unwrap().to_string().contains("is missing"));
}

#[test]
fn one_session_a_digest() {
    let Some((runtime, model)) = detector() else { return };
    let again = ModelFile { name: "again".into(), ..model.clone() };
    assert!(Arc::ptr_eq(&runtime.session(&model).unwrap(), &runtime.session(&again).unwrap()));
}

#[test]
fn a_wrong_digest_is_an_error_and_a_damaged_file_too() {
    let Some((runtime, model)) = detector() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.onnx");
    let mut bytes = std::fs::read(&model.path).unwrap();
    bytes.truncate(100_000);
    std::fs::write(&path, bytes).unwrap();
    let damaged = ModelFile { path: path.clone(), ..model };
    assert!(runtime.session(&damaged).err().unwrap().to_string().contains("expected blake3"));
    assert!(runtime.session(&ModelFile::at(&path).unwrap()).is_err());
}

#[test]
fn numerics_are_known_without_the_library() {
    let Ok(version) = Home::find().library().map(|path| library::version(path).unwrap()) else { return };
    let runtime = Runtime::new(Home::find(), DeviceChoice::Cpu).unwrap();
    assert_eq!(runtime.numerics().unwrap().runtime, version);
    assert!(runtime.open().is_ok());
}

#[test]
fn without_a_library_models_fail_with_the_set_up_command() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = Runtime::new(Home::at(folder.path()), DeviceChoice::Cpu).unwrap();
    let error = runtime.values(&picture(1)).err().unwrap();
    assert!(error.hint_text().unwrap().contains(SETUP));
}

#[test]
fn cancelling_ends_runs() {
    let Some((runtime, model)) = detector() else { return };
    let session = runtime.session(&model).unwrap();
    runtime.cancel();
    assert_eq!(session.run(&picture(128)).unwrap_err().kind(), crate::error::ErrorKind::Cancelled);
}
