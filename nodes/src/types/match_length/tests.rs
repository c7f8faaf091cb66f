use std::{collections::BTreeMap, sync::Arc};

use super::*;
use crate::{
    artifact::{Audio, Value},
    body::{Context, Input, Inputs},
    contract::Rate,
    tensor::{Tensor, Tensors},
    testing::{self, TestHost, no_models},
};

fn chunk(k: usize, rate: Rate, samples: &[f32], rows: usize) -> Inputs {
    let rows = Tensor::f32([rows, 3], vec![0.0; rows * 3]).unwrap();
    let ports = [
        ("audio", Value::Audio(Audio { rate: 16_000, samples: samples.to_vec() })),
        ("driving", Value::Tensors(Tensors::new().with("coefficients", rows))),
    ];
    let ports: BTreeMap<_, _> =
        ports.into_iter().map(|(port, value)| (port.to_owned(), Input::Value(Arc::new(value)))).collect();
    Inputs::new(ports, k, Some(rate))
}

/// The audio that comes out for so many samples of speech and driving chunks of so many rows.
fn matched(length: &str, rate: &str, samples: usize, chunks: &[usize]) -> (Vec<f32>, TestHost) {
    let (host, models) = (TestHost::new(), no_models());
    let ctx = Context { host: &host, models: &models };
    let set = [("length", ParamValue::Text(length.into()))];
    let Body::Reduce(mut body) = testing::body(&node(), &set, &[]).unwrap() else { panic!("not a reduce") };
    let speech = vec![0.5; samples];
    for (k, &rows) in chunks.iter().enumerate() {
        body.push(&chunk(k, rate.parse().unwrap(), &speech, rows), &ctx).unwrap();
    }
    let out = body.finish(&ctx).unwrap();
    (out["audio"].audio().unwrap().samples.clone(), host)
}

#[test]
fn the_audio_gets_the_length_that_is_asked_for() {
    // 2 s of speech, 3.2 s of driving frames; and the other way round.
    for (samples, chunks, [speech, driving, longest, shortest]) in [
        (32_000, &[25, 25, 25, 5][..], [32_000, 51_200, 51_200, 32_000]),
        (64_000, &[25, 10], [64_000, 22_400, 64_000, 22_400]),
    ] {
        for (length, wanted) in
            [("speech", speech), ("driving", driving), ("longest", longest), ("shortest", shortest)]
        {
            let (found, host) = matched(length, "25", samples, chunks);
            assert_eq!(found.len(), wanted, "{length}");
            let kept = wanted.min(samples);
            assert!(found[..kept].iter().all(|&sample| sample == 0.5), "{length}");
            assert!(found[kept..].iter().all(|&sample| sample == 0.0), "{length}");
            assert_eq!(host.noted("frames").unwrap(), (wanted / 640) as u64);
            let silence = host.noted("silence_seconds").and_then(|seconds| seconds.as_f64());
            let expected = (wanted > samples).then(|| (wanted - samples) as f64 / 16_000.0);
            assert_eq!(silence, expected, "{length}");
        }
    }
}

#[test]
fn mel_makes_as_many_frames_of_it_as_there_are_driving_ones() {
    let registry = crate::registry::Registry::builtin();
    let mel = registry.get("mel").unwrap();
    for rate in ["23.976", "25", "29.97", "30", "59.94", "12.5"] {
        for frames in [1, 2, 7, 60, 61] {
            let (samples, _) = matched("driving", rate, 16_000, &[frames]);
            let set = [("fps", rate.parse::<Rate>().unwrap().param())];
            let inputs = testing::inputs(0, vec![("audio", Value::Audio(Audio { rate: 16_000, samples }))]);
            let out = testing::run_value(mel, &set, &inputs, &TestHost::new(), &no_models()).unwrap();
            let windows = out.chunks["mel"].iter();
            let made: usize =
                windows.map(|chunk| chunk.tensors().unwrap().get("mel").unwrap().shape()[0]).sum();
            assert_eq!(made, frames, "{rate}");
        }
    }
}

#[test]
fn speech_keeps_its_whole_frames() {
    // 2.01 s: 50 frames and a quarter.
    let (samples, host) = matched("speech", "25", 32_160, &[25]);
    assert_eq!(samples.len(), 32_000);
    assert_eq!(host.noted("cut_seconds").unwrap(), 0.01);
    assert_eq!(matched("speech", "25", 10, &[25]).0.len(), 640);
}

#[test]
fn without_driving_frames_there_is_nothing_to_match() {
    let (host, models) = (TestHost::new(), no_models());
    let Body::Reduce(mut body) = testing::body(&node(), &[], &[]).unwrap() else { panic!("not a reduce") };
    let error = body.finish(&Context { host: &host, models: &models }).unwrap_err();
    assert_eq!(error.to_string(), "port `driving`: no frames, expected at least one");
}
