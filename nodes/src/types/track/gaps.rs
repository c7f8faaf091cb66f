//! What becomes of frames in which no face can be read.

use super::body::Frame;
use crate::error::{NodeError, Result};

/// What is put in their place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Policy {
    /// The frame before them.
    Hold,
    /// A way from the frame before to the frame after them.
    Interpolate,
    /// Nothing: the frames are left out.
    Skip,
    /// Nothing: the clip is refused.
    Fail,
}

impl Policy {
    /// Their names, the default first.
    pub(super) const NAMES: [&str; 4] = ["interpolate", "hold", "skip", "fail"];

    /// The one called `name`.
    pub(super) fn named(name: &str) -> Self {
        match name {
            "hold" => Self::Hold,
            "skip" => Self::Skip,
            "fail" => Self::Fail,
            _ => Self::Interpolate,
        }
    }

    fn done(self) -> &'static str {
        match self {
            Self::Hold => "the frame before is held",
            Self::Interpolate => "interpolated",
            Self::Skip => "left out",
            Self::Fail => "refused",
        }
    }
}

/// Why a frame is not read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fault {
    /// No face is found.
    NoFace,
    /// The face is blurred.
    Blurred,
    /// The landmarks are no face's.
    Implausible,
}

impl Fault {
    /// In words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::NoFace => "no face",
            Self::Blurred => "blurred",
            Self::Implausible => "implausible landmarks",
        }
    }
}

/// Frames in a row that are not read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Gap {
    /// The first, counted from 0.
    pub(super) first: usize,
    /// How many.
    pub(super) frames: usize,
    /// Why the first is not read.
    pub(super) fault: Fault,
}

impl Gap {
    /// Its frames counted from 1, and why.
    pub(super) fn words(&self) -> String {
        let (first, last) = (self.first + 1, self.first + self.frames);
        let place = if first == last { format!("{first}") } else { format!("{first}–{last}") };
        format!("{place}: {}", self.fault.words())
    }
}

/// The gaps among frames whose faults are given.
pub(super) fn find(faults: &[Option<Fault>]) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = vec![];
    for (i, fault) in faults.iter().enumerate() {
        let Some(fault) = *fault else { continue };
        match gaps.last_mut() {
            Some(gap) if gap.first + gap.frames == i => gap.frames += 1,
            _ => gaps.push(Gap { first: i, frames: 1, fault }),
        }
    }
    gaps
}

/// Does with `gaps` of `frames` what `policy` says; gives what to tell the user, where there is something.
///
/// # Errors
/// A gap of more than `longest` frames unless they are left out, any gap with [`Policy::Fail`], and a clip without a frame that is read.
pub(super) fn mend(
    frames: &mut Vec<Frame>,
    gaps: &[Gap],
    policy: Policy,
    longest: usize,
    rate: f64,
) -> Result<Option<String>> {
    let Some(worst) = gaps.iter().max_by_key(|gap| gap.frames) else { return Ok(None) };
    let list = |gaps: &[Gap]| gaps.iter().map(Gap::words).collect::<Vec<_>>().join(", ");
    let missing: usize = gaps.iter().map(|gap| gap.frames).sum();
    if missing == frames.len() {
        return Err(NodeError::input(format!(
            "port `landmarks`: no frame of {missing} shows a face that can be read"
        )));
    }
    if policy == Policy::Fail {
        return Err(NodeError::input(format!("driving frames {}", list(gaps)))
            .hint("`missing: interpolate`, `hold` or `skip` go on without them"));
    }
    if policy != Policy::Skip && worst.frames > longest {
        return Err(NodeError::input(format!(
            "driving frames {}: {:.2} s, expected gaps of at most {:.2} s",
            worst.words(),
            worst.frames as f64 / rate,
            longest as f64 / rate
        ))
        .hint("raise `longest_gap`, leave such frames out with `missing: skip`, or cut the clip"));
    }
    match policy {
        Policy::Skip => {
            let gone = |i: usize| gaps.iter().any(|gap| (gap.first..gap.first + gap.frames).contains(&i));
            let mut at = 0;
            frames.retain(|_| {
                at += 1;
                !gone(at - 1)
            });
        }
        Policy::Hold | Policy::Interpolate => {
            for gap in gaps {
                let before = gap.first.checked_sub(1).map(|k| frames[k].clone());
                let after = frames.get(gap.first + gap.frames).cloned();
                for k in 0..gap.frames {
                    let share = (k + 1) as f64 / (gap.frames + 1) as f64;
                    let filled = match (&before, &after) {
                        (Some(a), Some(b)) if policy == Policy::Interpolate && a.shot == b.shot => {
                            a.towards(b, share)
                        }
                        // Across a cut each side is held up to it.
                        (Some(_), Some(b)) if policy == Policy::Interpolate && share > 0.5 => b.clone(),
                        (Some(a), _) => a.clone(),
                        (None, Some(b)) => b.clone(),
                        (None, None) => continue,
                    };
                    frames[gap.first + k] = filled;
                }
            }
        }
        Policy::Fail => {}
    }
    let plural = if missing == 1 { "frame" } else { "frames" };
    Ok(Some(format!("{missing} driving {plural} could not be read ({}); {}", list(gaps), policy.done())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(values: &[f64], shots: &[i64]) -> Vec<Frame> {
        let frame = |(&x, &shot): (&f64, &i64)| Frame { numbers: vec![x], shot };
        values.iter().zip(shots).map(frame).collect()
    }

    fn values(frames: &[Frame]) -> Vec<f64> {
        frames.iter().map(|frame| frame.numbers[0]).collect()
    }

    fn faults(text: &str) -> Vec<Option<Fault>> {
        let fault = |c| match c {
            'n' => Some(Fault::NoFace),
            'b' => Some(Fault::Blurred),
            _ => None,
        };
        text.chars().map(fault).collect()
    }

    #[test]
    fn each_policy_does_what_it_says() {
        let gaps = find(&faults("n.nn.b"));
        assert_eq!(
            gaps.iter().map(Gap::words).collect::<Vec<_>>(),
            ["1: no face", "3–4: no face", "6: blurred"]
        );
        for (policy, expected) in [
            (Policy::Interpolate, vec![2.0, 2.0, 3.0, 4.0, 5.0, 5.0]),
            (Policy::Hold, vec![2.0, 2.0, 2.0, 2.0, 5.0, 5.0]),
            (Policy::Skip, vec![2.0, 5.0]),
        ] {
            let mut clip = frames(&[0.0, 2.0, 0.0, 0.0, 5.0, 0.0], &[0; 6]);
            let told = mend(&mut clip, &gaps, policy, 2, 25.0).unwrap().unwrap();
            assert_eq!(values(&clip), expected, "{policy:?}");
            assert!(
                told.starts_with(
                    "4 driving frames could not be read (1: no face, 3–4: no face, 6: blurred); "
                )
            );
        }
        let mut clip = frames(&[0.0; 6], &[0; 6]);
        let error = mend(&mut clip, &gaps, Policy::Fail, 2, 25.0).unwrap_err();
        assert_eq!(error.to_string(), "driving frames 1: no face, 3–4: no face, 6: blurred");
    }

    #[test]
    fn no_way_leads_over_a_cut() {
        let mut clip = frames(&[1.0, 0.0, 0.0, 9.0], &[0, 0, 0, 1]);
        mend(&mut clip, &find(&faults(".nn.")), Policy::Interpolate, 5, 25.0).unwrap();
        assert_eq!(values(&clip), [1.0, 1.0, 9.0, 9.0]);
        assert_eq!(clip.iter().map(|frame| frame.shot).collect::<Vec<_>>(), [0, 0, 1, 1]);
    }

    #[test]
    fn long_gaps_and_clips_without_a_face_are_refused() {
        let gaps = find(&faults("..nnn."));
        let error = mend(&mut frames(&[0.0; 6], &[0; 6]), &gaps, Policy::Hold, 2, 25.0).unwrap_err();
        assert_eq!(error.to_string(), "driving frames 3–5: no face: 0.12 s, expected gaps of at most 0.08 s");
        let error =
            mend(&mut frames(&[0.0; 2], &[0; 2]), &find(&faults("nn")), Policy::Skip, 2, 25.0).unwrap_err();
        assert_eq!(error.to_string(), "port `landmarks`: no frame of 2 shows a face that can be read");
        assert_eq!(mend(&mut frames(&[0.0], &[0]), &[], Policy::Fail, 2, 25.0).unwrap(), None);
    }
}
