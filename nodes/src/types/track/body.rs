use std::collections::BTreeMap;

use serde_json::json;

use super::{
    ROLE,
    clip::{self, Seen},
    face::{EYE, Face, Held, Point, unpose},
    filter,
    gaps::{self, Fault, Policy},
    neutral::{Neutral, Neutrals, Openings},
};
use crate::{
    artifact::Value,
    body::{Context, Emit, Inputs, Sequence, ValueBody},
    error::{NodeError, Result},
    models::Models,
    onnx::Dim,
    params::Params,
    tensor::{Tensor, Tensors},
};

/// The stable points of a face lie within this of where the neutral's are, in distances of the eyes; otherwise they are no face's.
const FARTHEST: f64 = 0.16;
/// From one frame to the next a face does not grow or shrink by more than this factor.
const GROWTH: f64 = 1.5;
/// A face is blurred when it has less than this share of the usual sharpness of its shot.
const BLURRED: f32 = 0.12;

pub(super) struct Track {
    pub(super) missing: Policy,
    /// In seconds.
    pub(super) longest_gap: f64,
    /// Standard deviations in seconds.
    pub(super) smooth_head: f64,
    pub(super) smooth_face: f64,
}

/// What is read of one frame.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Frame {
    /// Expression, rotation, place and the neutral's rotation, in a row.
    pub(super) numbers: Vec<f64>,
    pub(super) shot: i64,
}

impl Frame {
    /// A frame at `share` of the way to `other`.
    pub(super) fn towards(&self, other: &Self, share: f64) -> Self {
        let numbers = self.numbers.iter().zip(&other.numbers);
        Self { numbers: numbers.map(|(a, b)| a + share * (b - a)).collect(), shot: self.shot }
    }
}

impl Track {
    pub(super) fn new(params: &Params) -> Result<Self> {
        Ok(Self {
            missing: Policy::named(params.text("missing")?),
            longest_gap: params.float("longest_gap")?,
            smooth_head: params.float("smooth_head")?,
            smooth_face: params.float("smooth_face")?,
        })
    }
}

impl ValueBody for Track {
    fn run(&mut self, inputs: &Inputs, ctx: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
        let rate = inputs.rate().ok_or_else(|| NodeError::input("port `landmarks`: no frame rate"))?;
        let fps = rate.fps();
        let reader = Reader::new(ctx.models)?;
        let clip = Clip { sequence: &**inputs.sequence("landmarks")?, reader: &reader };
        let neutrals = clip.neutrals(ctx)?;
        ctx.host.note("shots", json!(neutrals.len()));

        let (mut frames, faults) = clip.read(&neutrals, ctx)?;
        let gaps = gaps::find(&faults);
        let longest = (self.longest_gap * fps).round() as usize;
        let listed = gaps.iter().map(|gap| {
            let (first, last) = (gap.first + 1, gap.first + gap.frames);
            json!({"first": first, "last": last, "why": gap.fault.words()})
        });
        ctx.host.note("gaps", listed.collect());
        if let Some(told) = gaps::mend(&mut frames, &gaps, self.missing, longest, fps)? {
            ctx.host.warn(&told);
        }
        let size = reader.size;
        filter::smooth(&mut frames, 0..size, self.smooth_face * fps);
        filter::smooth(&mut frames, size..size + 6, self.smooth_head * fps);
        for chunk in frames.chunks(rate.chunk_frames()) {
            ctx.check_cancelled()?;
            let columns = |from: usize, count: usize| {
                let rows = chunk.iter().flat_map(|frame| &frame.numbers[from..from + count]);
                Tensor::f32([chunk.len(), count], rows.map(|&x| x as f32).collect())
            };
            let shots = chunk.iter().map(|frame| frame.shot).collect();
            let motion = Tensors::new()
                .with("expression", columns(0, size)?)
                .with("rotation", columns(size, 3)?)
                .with("place", columns(size + 3, 3)?)
                .with("rest", columns(size + 6, 3)?)
                .with("shot", Tensor::i64([chunk.len()], shots)?);
            out.chunk("motion", Value::Tensors(motion))?;
        }
        Ok(())
    }
}

/// A face of a frame of the clip, without its pose.
struct Unposed {
    frame: usize,
    shot: i64,
    face: Face,
    held: Held,
}

/// The clip, read chunk by chunk as often as it is gone through.
struct Clip<'a> {
    sequence: &'a dyn Sequence,
    reader: &'a Reader<'a>,
}

impl Clip<'_> {
    fn each(&self, ctx: &Context<'_>, mut see: impl FnMut(Vec<Seen<'_>>) -> Result<()>) -> Result<()> {
        for k in 0..self.sequence.len() {
            ctx.check_cancelled()?;
            let chunk = self.sequence.chunk(k)?;
            see(clip::frames(chunk.tensors()?, self.reader.mean.len())?)?;
        }
        Ok(())
    }

    fn unposed(&self, seen: &Seen<'_>) -> (Face, Held) {
        unpose(&seen.points, seen.eyes, &self.reader.mean)
    }

    /// The neutral face of every shot.
    fn neutrals(&self, ctx: &Context<'_>) -> Result<BTreeMap<i64, Neutral>> {
        let mut openings = Openings::default();
        self.each(ctx, |frames| {
            for seen in &frames {
                let face = seen.found.then(|| self.unposed(seen).0);
                openings.push(face.as_ref().map(|face| (seen.shot, face)));
            }
            Ok(())
        })?;
        let mut neutral = openings.neutral().into_iter();
        let mut neutrals = Neutrals::default();
        self.each(ctx, |frames| {
            for seen in &frames {
                let chosen = neutral.next().flatten().is_some();
                if seen.found {
                    let (face, held) = self.unposed(seen);
                    neutrals.push(seen.shot, face, held, chosen);
                }
            }
            Ok(())
        })?;
        Ok(neutrals.finish())
    }

    /// What every frame shows beside the neutral of its shot, and why some do not.
    fn read(
        &self,
        neutrals: &BTreeMap<i64, Neutral>,
        ctx: &Context<'_>,
    ) -> Result<(Vec<Frame>, Vec<Option<Fault>>)> {
        let size = self.reader.size;
        let (mut frames, mut faults, mut sharpness) = (vec![], vec![], vec![]);
        // Shot and size of the frame before.
        let mut last: Option<(i64, f64)> = None;
        self.each(ctx, |seen| {
            let mut faces: Vec<Unposed> = vec![];
            for seen in &seen {
                let neutral = neutrals.get(&seen.shot).filter(|_| seen.found);
                let fault = neutral.map_or(Some(Fault::NoFace), |neutral| {
                    let (face, held) = self.unposed(seen);
                    let grown = match last {
                        Some((shot, size)) if shot == seen.shot => (held.size / size).max(size / held.size),
                        _ => 1.0,
                    };
                    let off = face.off(&neutral.face);
                    if !off.is_finite() || off > FARTHEST || grown > GROWTH {
                        return Some(Fault::Implausible);
                    }
                    last = Some((seen.shot, held.size));
                    faces.push(Unposed { frame: frames.len(), shot: seen.shot, face, held });
                    None
                });
                if fault.is_some() {
                    // After a gap a face may be of any size.
                    last = None;
                }
                faults.push(fault);
                sharpness.push((seen.shot, seen.sharpness));
                frames.push(Frame { numbers: vec![0.0; size + 9], shot: seen.shot });
            }
            // Frames of one shot are read together: they share its neutral.
            for group in faces.chunk_by(|a, b| a.shot == b.shot) {
                let neutral = &neutrals[&group[0].shot];
                let readings = self.reader.read(group, neutral)?;
                for (Unposed { frame, held, .. }, (expression, rotation, rest)) in group.iter().zip(readings)
                {
                    let place = [
                        held.place[0] - neutral.place[0],
                        held.place[1] - neutral.place[1],
                        (held.size / neutral.size).ln(),
                    ];
                    frames[*frame].numbers = [expression.as_slice(), &rotation, &place, &rest].concat();
                }
            }
            Ok(())
        })?;
        mark_blurred(&mut faults, &sharpness);
        Ok((frames, faults))
    }
}

/// Frames whose face is far less sharp than usual in their shot.
fn mark_blurred(faults: &mut [Option<Fault>], sharpness: &[(i64, f32)]) {
    let mut shots: BTreeMap<i64, Vec<f32>> = BTreeMap::new();
    for ((shot, sharpness), _) in sharpness.iter().zip(&*faults).filter(|(_, fault)| fault.is_none()) {
        shots.entry(*shot).or_default().push(*sharpness);
    }
    let usual: BTreeMap<i64, f32> = shots
        .into_iter()
        .map(|(shot, mut all)| {
            all.sort_by(f32::total_cmp);
            (shot, all[all.len() / 2])
        })
        .collect();
    for (fault, (shot, sharpness)) in faults.iter_mut().zip(sharpness) {
        if fault.is_none() && *sharpness < BLURRED * usual[shot] {
            *fault = Some(Fault::Blurred);
        }
    }
}

/// The network that reads expressions.
struct Reader<'a> {
    models: &'a Models,
    mean: Vec<Point>,
    /// Number of expression coefficients.
    size: usize,
}

/// Expression, rotation and the neutral's rotation.
type Reading = (Vec<f64>, [f64; 3], [f64; 3]);

impl<'a> Reader<'a> {
    fn new(models: &'a Models) -> Result<Self> {
        let size = models.pack()?.coefficients().expressions();
        let mut reader = Self { models, mean: vec![], size };
        let session = models.session(ROLE)?;
        let points = match session.signature().input("face").and_then(|port| port.dims.as_deref()) {
            Some([_, Dim::Fixed(points), _]) => *points,
            _ => {
                return Err(NodeError::model(format!(
                    "role `{ROLE}`: expected an input `face` [n,M,3] with a fixed M"
                )));
            }
        };
        // Whatever is read, the mean face comes with it.
        let nobody = Face { points: vec![Point::zeros(); points], eyes: vec![], irises: vec![] };
        let outputs = reader.run(&[&nobody], &nobody, &[[0.0; 3]])?;
        let mean = outputs.get("mean")?.as_f32()?;
        reader.mean =
            mean.chunks_exact(3).map(|p| Point::new(p[0].into(), p[1].into(), p[2].into())).collect();
        Ok(reader)
    }

    fn run(&self, faces: &[&Face], neutral: &Face, rotations: &[[f64; 3]]) -> Result<Tensors> {
        let count = faces.len();
        let points = |faces: &[&Face]| -> Vec<f32> {
            let points = faces.iter().flat_map(|face| &face.points);
            points.flat_map(|point| point.iter().map(|&x| x as f32)).collect()
        };
        // Without eyes all are where the neutral's are.
        let seen = |points: &[[f64; 2]], count: usize| -> Vec<f32> {
            match points {
                [] => vec![0.0; 2 * count],
                points => points.iter().flatten().map(|&x| x as f32).collect(),
            }
        };
        let eyes = |face: &Face| seen(&face.eyes, 2 * EYE);
        let irises = |face: &Face| seen(&face.irises, 2);
        let inputs = Tensors::new()
            .with("face", Tensor::f32([count, neutral.points.len(), 3], points(faces))?)
            .with("neutral", Tensor::f32([1, neutral.points.len(), 3], points(&[neutral]))?)
            .with("eyes", Tensor::f32([count, 2, 21, 2], faces.iter().flat_map(|face| eyes(face)).collect())?)
            .with("neutral_eyes", Tensor::f32([1, 2, 21, 2], eyes(neutral))?)
            .with("irises", Tensor::f32([count, 2, 2], faces.iter().flat_map(|face| irises(face)).collect())?)
            .with("neutral_irises", Tensor::f32([1, 2, 2], irises(neutral))?)
            .with(
                "rotation",
                Tensor::f32([count, 3], rotations.iter().flatten().map(|&x| x as f32).collect())?,
            );
        self.models.run(ROLE, &inputs)
    }

    /// What `group` shows beside `neutral`.
    fn read(&self, group: &[Unposed], neutral: &Neutral) -> Result<Vec<Reading>> {
        // The neutral itself is read along: what the network sees in it is no expression, and its pose is the rest.
        let mut faces: Vec<&Face> = group.iter().map(|one| &one.face).collect();
        faces.push(&neutral.face);
        let mut rotations: Vec<[f64; 3]> = group.iter().map(|one| one.held.rotation).collect();
        rotations.push(neutral.rotation);
        let outputs = self.run(&faces, &neutral.face, &rotations)?;
        let (expression, pose) = (outputs.get("expression")?.as_f32()?, outputs.get("pose")?.as_f32()?);
        if expression.len() != faces.len() * self.size || pose.len() != faces.len() * 3 {
            return Err(NodeError::model(format!(
                "role `{ROLE}`: expected {} expressions of {} numbers and as many rotations, found {} and {} numbers",
                faces.len(),
                self.size,
                expression.len(),
                pose.len()
            )));
        }
        let turned = |row: &[f32]| -> [f64; 3] { std::array::from_fn(|axis| row[axis].into()) };
        let rest = turned(&pose[3 * group.len()..]);
        let rows = expression.chunks_exact(self.size).zip(pose.chunks_exact(3)).take(group.len());
        Ok(rows.map(|(row, pose)| (row.iter().map(|&x| x.into()).collect(), turned(pose), rest)).collect())
    }
}
