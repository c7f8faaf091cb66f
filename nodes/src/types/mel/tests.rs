use std::fs;

use super::*;
use crate::{
    artifact::{ArtifactType, Audio, Value},
    codec,
    contract::{ParamValue, Rate},
    testing::{TestHost, inputs, no_models, run_value, shared},
};

/// All windows as one flat list, and the number of frames of each chunk.
fn windows(samples: Vec<f32>, set: &[(&str, ParamValue)]) -> Result<(Vec<f32>, Vec<usize>)> {
    let inputs = inputs(0, vec![("audio", Value::Audio(Audio { rate: 16_000, samples }))]);
    let out = run_value(&node(), set, &inputs, &TestHost::new(), &no_models())?;
    let (mut all, mut sizes) = (vec![], vec![]);
    for chunk in &out.chunks["mel"] {
        let mel = chunk.tensors()?.get("mel")?;
        all.extend_from_slice(mel.as_f32()?);
        sizes.push(mel.shape()[0]);
    }
    Ok((all, sizes))
}

fn noise(n: usize) -> Vec<f32> {
    let mut state = 1u32;
    (0..n)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

#[test]
fn matches_the_published_mel() {
    let (Some(speech), Some(golden)) =
        (shared("data/speech_a.wav"), shared("golden/mel_speech_a.safetensors"))
    else {
        return;
    };
    let reader = hound::WavReader::open(&speech).unwrap();
    let channels = usize::from(reader.spec().channels);
    let values: Vec<i32> = reader.into_samples::<i32>().map(std::result::Result::unwrap).collect();
    let mean = |frame: &[i32]| frame.iter().sum::<i32>() as f32 / channels as f32 / 32_768.0;
    let samples = values.chunks_exact(channels).map(mean).collect();

    let bytes = fs::read(&golden).unwrap();
    let golden = codec::decode(ArtifactType::Tensors, &bytes, &golden).unwrap();
    let golden = golden.tensors().unwrap().get("mel").unwrap().clone();
    let (mel, sizes) = windows(samples, &[("gate", ParamValue::Float(-120.0))]).unwrap();
    assert_eq!(golden.shape(), [sizes.iter().sum::<usize>(), 80, 16]);
    let worst = mel.iter().zip(golden.as_f32().unwrap()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-4, "off by {worst}");
    println!("largest difference {worst:e}");
}

#[test]
fn one_window_a_whole_frame_in_chunks_of_a_second() {
    let (_, sizes) = windows(noise(640 * 60 + 639), &[]).unwrap();
    assert_eq!(sizes, [25, 25, 10]);
    let (_, sizes) = windows(noise(16_000), &[("fps", ParamValue::Int(30))]).unwrap();
    assert_eq!(sizes, [30]);
    // Three seconds hold 89.91 frames of NTSC's; chunks are of 30 all the same.
    let ntsc = [("fps", Rate::new(30_000, 1001).param())];
    assert_eq!(windows(noise(48_000), &ntsc).unwrap().1, [30, 30, 29]);
    assert_eq!(windows(noise(48_048), &ntsc).unwrap().1, [30, 30, 30]);
}

#[test]
fn windows_of_any_rate_are_where_their_frame_is() {
    // At 25 and at 50 frames a second every second window is of the same time.
    let samples = noise(640 * 40);
    let window = 80 * 16;
    let (slow, _) = windows(samples.clone(), &[]).unwrap();
    let (fast, _) = windows(samples, &[("fps", ParamValue::Int(50))]).unwrap();
    for (k, slow) in slow.chunks_exact(window).enumerate() {
        assert_eq!(slow, &fast[2 * k * window..(2 * k + 1) * window], "frame {k}");
    }
}

#[test]
fn wider_windows_are_centred_on_the_published_ones() {
    let samples = noise(640 * 30);
    let (narrow, _) = windows(samples.clone(), &[]).unwrap();
    let (wide, _) = windows(samples, &[("columns", ParamValue::Int(24))]).unwrap();
    for (narrow, wide) in narrow.chunks_exact(16).zip(wide.chunks_exact(24)) {
        assert_eq!(narrow, &wide[4..20]);
    }
}

#[test]
fn a_changed_end_leaves_the_chunks_before_it_bit_for_bit() {
    let samples = noise(640 * 75);
    let mut changed = samples.clone();
    changed[640 * 60..].fill(0.1);
    let (one, two) = (windows(samples, &[]).unwrap().0, windows(changed, &[]).unwrap().0);
    let chunk = 25 * 80 * 16;
    assert_eq!(one[..2 * chunk], two[..2 * chunk]);
    assert_ne!(one[2 * chunk..], two[2 * chunk..]);
}

#[test]
fn silence_is_the_floor() {
    let (mel, _) = windows(vec![0.0; 6400], &[]).unwrap();
    assert!(mel.iter().all(|&x| x == -4.0));
}

#[test]
fn a_quiet_room_is_silence_and_quiet_speech_is_not() {
    // White noise of an amplitude has a root mean square of it by the root of three.
    let at = |decibels: f32, offset: f32| {
        let gain = 10f32.powf(decibels / 20.0) * 3f32.sqrt();
        noise(6400).into_iter().map(|x| x * gain + offset).collect::<Vec<_>>()
    };
    let silent = |samples| windows(samples, &[]).unwrap().0.iter().all(|&x| x == -4.0);
    assert!(silent(at(-60.0, 0.0)) && silent(at(-60.0, 0.05)));
    let open = |decibels| windows(at(decibels, 0.0), &[("gate", ParamValue::Float(-120.0))]).unwrap().0;
    assert_eq!(windows(at(-50.0, 0.0), &[]).unwrap().0, open(-50.0));
    assert!(open(-60.0).iter().any(|&x| x > -4.0));
    let (fading, whole) = (windows(at(-56.5, 0.0), &[]).unwrap().0, open(-56.5));
    assert!(fading.iter().zip(&whole).all(|(a, b)| a <= b) && !silent(at(-56.5, 0.0)));
}

#[test]
fn sound_shorter_than_a_frame_is_an_error() {
    let error = windows(noise(639), &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the speech lasts 0.0399 s, expected at least one video frame: 0.0400 s at 25 frames a second"
    );
    assert_eq!(error.hint_text(), Some("give longer speech"));
    assert!(windows(vec![], &[]).is_err());
}
